(* What a certificate of a claim about all inputs claims, in plain terms, over an arbitrary ordered field R: a collision and the
   injectivity of a layer (I2), how far its biases may be lowered (I4), how much it shortens distances (I6).  With Claims.v, this page
   is what has to be read to know what `exactrelu-check` proves of them. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate Integers Claims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section InjectivityClaims.
Variable R : realFieldType.

(* ---------- domains, and layers with other biases ---------- *)

Definition squared_length (x : seq R) : R := \sum_(v <- x) v ^+ 2.
Definition is_convex_domain (n : nat) (K : convex_domain) : Prop :=
  match K with Polyhedral K => is_domain n K | Ball D N => Z.lt 0 D /\ Z.le 0 N end.
Definition in_convex_domain (n : nat) (K : convex_domain) (x : seq R) : Prop :=
  match K with Polyhedral K => in_domain n K x | Ball D N => squared_length x <= (embed N / embed D) ^+ 2 end.

Definition value_of (q : fraction) : R := embed (above q) / embed (below q).
(* the layer with t subtracted from the biases of the rows that a relu follows; for t = 0 it is the layer itself *)
Definition lowered_layer_at (t : R) (l : layer) (x : seq R) : seq R :=
  [seq (if rb.2 then Num.max 0 (row_at x rb.1 - t) else row_at x rb.1) | rb <- zip (rows l) (rectified l)].
Lemma lowered_layer_at0 l x : lowered_layer_at 0 l x = layer_at l x.
Proof. by apply: eq_map => -[r [|]] //=; rewrite subr0. Qed.

(* ---------- what is claimed ---------- *)

(* f has different values at different inputs in the domain *)
Definition injective_on_domain n (K : convex_domain) (f : seq R -> seq R) : Prop :=
  forall x y : seq R, size x = n -> size y = n -> in_convex_domain n K x -> in_convex_domain n K y -> f x = f y -> x = y.

(* x and y are different points of R^n in the domain, and f has the same value at both *)
Definition collision n (K : convex_domain) (f : seq R -> seq R) (x y : seq R) : Prop :=
  [/\ size x = n /\ size y = n, in_convex_domain n K x, in_convex_domain n K y, x <> y & f x = f y].

Definition squared_distance (x y : seq R) : R := \sum_(u <- zip x y) (u.1 - u.2) ^+ 2.
(* f(x) and f(y) are at least 1/2 sqrt(q) times as far apart as x and y are *)
Definition expands_on n (K : convex_domain) (q : R) (f : seq R -> seq R) : Prop :=
  forall x y : seq R, size x = n -> size y = n -> in_convex_domain n K x -> in_convex_domain n K y ->
  q / 4%:R * squared_distance x y <= squared_distance (f x) (f y).

(* The claim of a certificate c of injectivity: the network net has the layer that is meant, the data are well formed, and the
   layer with its biases lowered by the number that is given (0 if none is) is injective on the domain. *)
Definition injectivity_claim_holds (net : network) (c : injectivity_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ injective_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net), is_convex_domain (inputs l) (injective_on c) &
        injective_on_domain (inputs l) (injective_on c) (lowered_layer_at (value_of (injective_lowered_by c)) l)].

(* The claim of a certificate c of a collision: the layer is there, the data are well formed, and the two inputs are a collision of
   this layer, its biases lowered as above, or of all layers up to it. *)
Definition collision_claim_holds (net : network) (c : collision_certificate) : Prop :=
  let K := collision_on c in
  let x := rational R (first_input c) in
  let y := rational R (second_input c) in
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after, widths_agree (network_inputs net) (layers net) &
        match collision_in c with
        | LayerAlone number lowered_by =>
            [/\ number = (size before).+1, is_convex_domain (inputs l) K &
                collision (inputs l) K (lowered_layer_at (value_of lowered_by) l) x y]
        | LayersThrough number =>
            [/\ number = (size before).+1, is_convex_domain (network_inputs net) K &
                collision (network_inputs net) K (layers_at (rcons before l)) x y]
        end].

(* The claim of a certificate c of a bias limit: the network net has the layer that is meant, the data are well formed, and the layer
   with its biases lowered by any number above the limit has a collision in the domain. *)
Definition bias_limit_claim_holds (net : network) (c : bias_limit_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ limited_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net), is_convex_domain (inputs l) (limited_on c) &
        forall t, value_of (bias_limit c) < t -> exists x y, collision (inputs l) (limited_on c) (lowered_layer_at t l) x y].

(* The claim of a certificate c of expansion: the network net has the layer that is meant, the data are well formed, and the layer, its
   biases lowered, shortens no distance by more than the factor that is claimed. *)
Definition expansion_claim_holds (net : network) (c : expansion_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ expansive_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net), is_convex_domain (inputs l) (expansive_on c), 0 < value_of (expansion c) &
        expands_on (inputs l) (expansive_on c) (value_of (expansion c)) (lowered_layer_at (value_of (expansive_lowered_by c)) l)].
End InjectivityClaims.
