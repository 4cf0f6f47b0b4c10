(* I2: two inputs with the same output: a collision that is accepted is one, of a layer or of the layers up to it. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts Claims InjectivityClaims.
From ExactRelu Require Import Systems Checker InjectivityChecks EvaluationSound ConvexDomains Soundness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section CollisionSound.
Variable R : realFieldType.
Notation rational := (rational R).

(* Points that are accepted are a collision of the function that f computes. *)
Lemma collides_sound n K f (g : seq R -> seq R) x y :
  (forall p, is_point n p -> rational (f p) = g (rational p) /\ Z.lt 0 (denominator (f p))) ->
  collides n K f x y -> is_convex_domain n K /\ collision n K g (rational x) (rational y).
Proof.
move=> hf /andP[/andP[/andP[/andP[/andP[/andP[/convex_domain_ok_is_convex_domain hK /point_ok_is_point hx]
  /point_ok_is_point hy] cx] cy] hne] heq].
have [hDx sx] := hx; have [hDy sy] := hy; have [ex dx] := hf x hx; have [ey dy] := hf y hy.
split=> //; split; rewrite ?size_rational //.
- exact: convex_contains_sound cx.
- exact: convex_contains_sound cy.
- by move/(@rational_same R _ _ hDx hDy); apply/negP.
- by rewrite -ex -ey; apply: same_point_sound.
Qed.

(* I2: the soundness of the check, over every ordered field: a certificate of a collision that is accepted makes a true claim. *)
Theorem check_collision_sound net c : check_collision net c = true -> collision_claim_holds R net c.
Proof.
case/andP=> /network_ok_widths_agree hw; case hin: collision_in => [number lowered_by|number];
  case hs: split_layers => [[before l]|] // hc; have [after [hn hnumber]] := split_layersP hs;
  exists before, l, after; rewrite hin; split=> //.
  have hl := hw; rewrite hn in hl; have [_ [_ hmarks _ _]] := proj1 (widths_agree_cat _ _ _) hl.
  case/andP: hc => /Z.ltb_lt ht hc.
  have [p [hp _]|hK h] := collides_sound (g := lowered_layer_at (value_of R lowered_by) l) _ hc; last by split.
  exact: lowered_layer_value_sound.
have hl : widths_agree (network_inputs net) (rcons before l) by move: hw; rewrite hn -cat_rcons => /widths_agree_cat[].
rewrite tappE cats1 in hc; have [p hp|hK h] := collides_sound (g := layers_at (rcons before l)) _ hc; last by split.
by have [hv [hd _]] := value_through_sound R hl hp.
Qed.
End CollisionSound.
