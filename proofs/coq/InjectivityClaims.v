(* What a certificate of a collision or of the injectivity of a layer claims, in plain terms, over an arbitrary ordered field R:
   with Claims.v, this page is what has to be read to know what `exactrelu-check` proves of them. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate Integers Claims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section InjectivityClaims.
Variable R : realFieldType.

(* the layer has different outputs at different inputs of the domain *)
Definition layer_injective_on (l : layer) (K : domain) : Prop :=
  forall x y : seq R, size x = inputs l -> size y = inputs l -> in_domain (inputs l) K x -> in_domain (inputs l) K y ->
  layer_at l x = layer_at l y -> x = y.

(* x and y are different points of R^n in the domain, and f has the same value at both *)
Definition collision n (K : domain) (f : seq R -> seq R) (x y : seq R) : Prop :=
  [/\ size x = n /\ size y = n, in_domain n K x, in_domain n K y, x <> y & f x = f y].

(* The claim of a certificate c of injectivity: the network net has the layer that is meant, the data are well formed, and the
   layer is injective on the domain. *)
Definition injectivity_claim_holds (net : network) (c : injectivity_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ injective_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net), is_domain (inputs l) (injective_on c) &
        layer_injective_on l (injective_on c)].

(* The claim of a certificate c of a collision: the layer is there, the data are well formed, and the two inputs are a collision of
   this layer, or of all layers up to it. *)
Definition collision_claim_holds (net : network) (c : collision_certificate) : Prop :=
  let K := collision_on c in
  let x := rational R (first_input c) in
  let y := rational R (second_input c) in
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after, widths_agree (network_inputs net) (layers net) &
        match collision_in c with
        | LayerAlone number =>
            [/\ number = (size before).+1, is_domain (inputs l) K & collision (inputs l) K (layer_at l) x y]
        | LayersThrough number =>
            [/\ number = (size before).+1, is_domain (network_inputs net) K &
                collision (network_inputs net) K (layers_at (rcons before l)) x y]
        end].
End InjectivityClaims.
