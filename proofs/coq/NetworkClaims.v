(* What a certificate of the injectivity of several layers together (I2) claims, in plain terms, over an arbitrary ordered field R.  With
   Claims.v and InjectivityClaims.v, this page is what has to be read to know what `exactrelu-check` proves of them. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate NetworkCertificate Integers Claims InjectivityClaims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section NetworkClaims.
Variable R : realFieldType.

(* The claim of a certificate c: the network net has the layers that are meant, from the first to some layer l, the data are well formed,
   and these layers together take different inputs in the domain to different outputs. *)
Definition network_injectivity_claim_holds (net : network) (c : network_injectivity_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ network_layers c = (size before).+1,
        widths_agree (network_inputs net) (layers net), is_convex_domain (network_inputs net) (network_on c) &
        injective_on_domain (network_inputs net) (network_on c) (@layers_at R (rcons before l))].
End NetworkClaims.
