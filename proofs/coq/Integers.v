(* Integers inside an arbitrary ordered field R, and the product of an integer row with a vector of R. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Global Arguments Z.mul : simpl never.
Global Arguments Z.add : simpl never.
Global Arguments Z.abs : simpl never.
Global Arguments Z.shiftl : simpl never.

(* ---------- the ring morphism Z -> A ---------- *)
Section ZR.
Variable A : ringType.
(* the integer z as an element of A *)
Definition embed (z : Z) : A :=
  match z with Z0 => 0 | Zpos p => (Pos.to_nat p)%:R | Zneg p => - (Pos.to_nat p)%:R end.
Lemma embed_nat k : embed (Z.of_nat k) = k%:R.
Proof. by case: k => [|k] //=; rewrite SuccNat2Pos.id_succ. Qed.
Lemma embed_opp z : embed (Z.opp z) = - embed z.
Proof. by case: z => [|p|p] /=; rewrite ?oppr0 ?opprK. Qed.
Lemma embed_sub_nat m n : embed (Z.sub (Z.of_nat m) (Z.of_nat n)) = m%:R - n%:R.
Proof.
case/orP: (leq_total n m) => h.
  have -> : Z.sub (Z.of_nat m) (Z.of_nat n) = Z.of_nat (m - n)%N.
    by move/ssrnat.leP: h => h; lia.
  by rewrite embed_nat natrB.
have -> : Z.sub (Z.of_nat m) (Z.of_nat n) = Z.opp (Z.of_nat (n - m)%N).
  by move/ssrnat.leP: h => h; lia.
by rewrite embed_opp embed_nat natrB // opprB.
Qed.
Lemma embed_difference z : exists m n, z = Z.sub (Z.of_nat m) (Z.of_nat n).
Proof. by exists (Z.to_nat z), (Z.to_nat (Z.opp z)); lia. Qed.
Lemma embedD x y : embed (Z.add x y) = embed x + embed y.
Proof.
case: (embed_difference x) (embed_difference y) => a [b ->] [c [d ->]].
have -> : Z.add (Z.sub (Z.of_nat a) (Z.of_nat b)) (Z.sub (Z.of_nat c) (Z.of_nat d)) =
          Z.sub (Z.of_nat (a + c)%N) (Z.of_nat (b + d)%N) by lia.
by rewrite !embed_sub_nat !natrD opprD addrACA.
Qed.
Lemma embedM x y : embed (Z.mul x y) = embed x * embed y.
Proof.
case: (embed_difference x) (embed_difference y) => a [b ->] [c [d ->]].
have -> : Z.mul (Z.sub (Z.of_nat a) (Z.of_nat b)) (Z.sub (Z.of_nat c) (Z.of_nat d)) =
          Z.sub (Z.of_nat (a * c + b * d)%N) (Z.of_nat (a * d + b * c)%N) by lia.
rewrite !embed_sub_nat !natrD !natrM mulrBl !mulrBr opprB opprD !addrA.
by rewrite -!addrA; congr (_ + _); rewrite [LHS]addrCA [RHS]addrC addrC -!addrA; congr (_ + _); rewrite addrC.
Qed.
Lemma embed_sub x y : embed (Z.sub x y) = embed x - embed y.
Proof. by rewrite -embed_opp -embedD. Qed.
Lemma embed1 : embed (Zpos xH) = 1. Proof. by []. Qed.
End ZR.
Arguments embed {A} z : simpl never.

(* ---------- vectors ---------- *)
Section Dot.
Variable R : comRingType.
(* sum of a_i x_i, over the shorter length *)
Fixpoint dotR (a : seq Z) (x : seq R) : R :=
  match a, x with u :: a', v :: x' => embed u * v + dotR a' x' | _, _ => 0 end.
Lemma dotR_nil a : dotR a [::] = 0. Proof. by case: a. Qed.
End Dot.

Section Sign.
Variable R : realFieldType.
Lemma embed_ge0 z : Z.le 0 z -> 0 <= embed z :> R.
Proof. by case: z => [|p|p] //= h; rewrite ler0n. Qed.
Lemma embed_gt0 z : Z.lt 0 z -> 0 < embed z :> R.
Proof. by case: z => [|p|p] //= h; rewrite ltr0n; apply/ssrnat.ltP; lia. Qed.
Lemma embed_eq0 z : (embed z == 0 :> R) = Z.eqb z 0.
Proof.
case: z => [|p|p] /=; rewrite ?eqxx // ?oppr_eq0 pnatr_eq0; apply/eqP; lia.
Qed.
Lemma embed_le0 z : (embed z <= 0 :> R) = Z.leb z 0.
Proof.
apply/idP/idP => [h|/Z.leb_le h]; last first.
  by rewrite -oppr_ge0 -embed_opp; apply: embed_ge0; lia.
apply/Z.leb_le; case: (Z.leb_spec z 0) => // h'.
by move: (embed_gt0 h'); rewrite ltNge h.
Qed.
Lemma embed_lt0 z : (embed z < 0 :> R) = Z.ltb z 0.
Proof. rewrite lt_neqAle embed_le0 embed_eq0; apply/andP/idP => [[h h']|h]; lia. Qed.

Lemma embed_abs z : embed (Z.abs z) = `|embed z| :> R.
Proof.
case: z => [|p|p] /=; rewrite ?normr0 // ?normrN ger0_norm ?ler0n //.
Qed.
Lemma embed_le a b : Z.leb a b -> embed a <= embed b :> R.
Proof.
move/Z.leb_le => h; rewrite -subr_ge0 -embed_opp -embedD; apply: embed_ge0; lia.
Qed.
Lemma embed_lt a b : Z.ltb a b -> embed a < embed b :> R.
Proof.
move/Z.ltb_lt => h; rewrite -subr_gt0 -embed_opp -embedD; apply: embed_gt0; lia.
Qed.
Lemma embed_gt0E v : (0 < embed v :> R) = Z.ltb Z0 v.
Proof. by rewrite ltNge embed_le0 Z.ltb_antisym. Qed.
Lemma embed_leE a b : (embed a <= embed b :> R) = Z.leb a b.
Proof. by rewrite -subr_le0 -embed_opp -embedD embed_le0; apply/Z.leb_spec0/Z.leb_spec0; lia. Qed.
Lemma embed_eqE a b : (embed a == embed b :> R) = Z.eqb a b.
Proof. by rewrite -subr_eq0 -embed_opp -embedD embed_eq0; apply/Z.eqb_spec/Z.eqb_spec; lia. Qed.
Lemma embed_max v : embed (Z.max Z0 v) = Num.max 0 (embed v) :> R.
Proof.
case: (Z.max_spec 0 v) => -[h ->]; first by rewrite max_r // ltW // embed_gt0.
by rewrite max_l // embed_le0; apply/Z.leb_le.
Qed.
End Sign.

Lemma embed_int (A : ringType) z : (embed z : int)%:~R = embed z :> A.
Proof.
case: z => [|p|p] /=; first exact: (rmorph0 [rmorphism of intmul 1]).
  exact: (rmorph_nat [rmorphism of intmul 1]).
by rewrite (rmorphN [rmorphism of intmul 1]) (rmorph_nat [rmorphism of intmul 1]).
Qed.

