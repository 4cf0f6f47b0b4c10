(* Two inputs with the same output: a collision that is accepted refutes injectivity of the network on the domain. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Claims Systems Checker InjectivityChecks.
From ExactRelu Require Import EvaluationSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section CollisionSound.
Variable R : realFieldType.

(* The network maps different points of the domain to different outputs. *)
Definition injective_on (net : network) (K : domain) : Prop :=
  forall x x' : seq R, size x = network_inputs net -> size x' = network_inputs net ->
  in_domain (network_inputs net) K x -> in_domain (network_inputs net) K x' ->
  layers_at (layers net) x = layers_at (layers net) x' -> x = x'.

(* Points that fail the comparison differ. *)
Lemma rational_same p q : Z.lt 0 (denominator p) -> Z.lt 0 (denominator q) -> rational R p = rational R q -> same_point p q.
Proof.
case: p q => D X [E Y] /= hD hE; rewrite /same_point /rational /= !size_ofE tmap2E forallbE => h.
have hs : size X = size Y by have := congr1 size h; rewrite !size_map.
rewrite hs Nat.eqb_refl /=; elim: X Y hs h => [|a X IH] [|b Y] //= [hs] [/eqP h1 h2].
by rewrite (fraction_eq R _ _ hD hE) in h1; rewrite h1 /=; apply: IH.
Qed.

(* A collision that is accepted refutes injectivity. *)
Theorem collision_sound net K p q : collision net K p q -> ~ injective_on net K.
Proof.
case/andP=> /andP[/andP[/andP[/andP[/andP[/andP[/network_ok_widths_agree hw /domain_ok_is_domain hK] /point_ok_is_point hp]]]]].
move=> /point_ok_is_point hq cp cq hne heq hinj; have [hDp sp] := hp; have [hDq sq] := hq.
have [vp [dp _]] := value_through_sound R hw hp; have [vq [dq _]] := value_through_sound R hw hq.
have e := same_point_sound R dp dq heq.
case/negP: hne; apply: rational_same => //; apply: hinj; rewrite ?size_map //.
- exact: contains_sound hK hp cp.
- exact: contains_sound hK hq cq.
by rewrite -vp -vq.
Qed.
End CollisionSound.
