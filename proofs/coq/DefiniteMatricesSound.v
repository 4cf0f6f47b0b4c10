(* I14: a matrix M of integers that passes the elimination has x^T M x > 0 for every x that is not 0: p times the form of M + M^T is a
   square plus the form of p times the Schur complement of the pivot p > 0. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts ExpansionChecks SemidefiniteSound DefiniteChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Definite.
Variable R : realFieldType.
Implicit Types (x y w : seq R) (m : seq (seq Z)).

Lemma dotR_zero_right (a : seq Z) x : (forall j, nth 0 x j = 0) -> dotR a x = 0.
Proof. by elim: a x => [|u a IH] [|v x] //= h; rewrite (h 0%N : v = 0) mulr0 add0r IH // => j; apply: (h j.+1). Qed.

(* I14: the form of a matrix that passes is positive, but at 0. *)
Theorem is_definite_sound steps before m x : Z.lt 0 before -> triangular m -> size x = size m -> is_definite steps before m ->
  0 <= form m x /\ (form m x = 0 -> forall j, nth 0 x j = 0).
Proof.
elim: steps before m x => [|steps IH] before [|[|p r] m] [|v x] //; try by move=> *; split=> // _ j; rewrite nth_nil.
move=> hb [// [hr] hm] [hx]; rewrite [is_definite _ _ _]/= => /andP[/Z.ltb_lt pp hs]; have ep := embed_gt0 R pp.
have [hm1 s1] := triangular_scaled p hm; have ha : size r = size (scaled p m) by rewrite s1.
have [hm2 s2] := triangular_add_square (Zneg xH) ha hm1; have [hm3 s3] := triangular_without_factor before hm2.
have [|h0 hz] := IH p _ x pp hm3 _ hs; first by rewrite s3 s2 s1.
have [c c0 hc] := form_without_factor (add_square (Zneg xH) r (scaled p m)) x hb.
have hrest : embed p * form m x - dotR r x ^+ 2 = c * form (without_factor before (add_square (Zneg xH) r (scaled p m))) x.
  by rewrite -hc form_add_square ?form_scaled ?s1 // mulN1r.
have hsum : embed p * form ((p :: r) :: m) (v :: x) = (embed p * v + dotR r x) ^+ 2 + (embed p * form m x - dotR r x ^+ 2).
  by rewrite [form (_ :: _) _]/=; move: (dotR r x) (form m x) (embed p) => s w d; ring.
have rest0 : 0 <= embed p * form m x - dotR r x ^+ 2 by rewrite hrest mulr_ge0 // ltW.
split; first by rewrite -(pmulr_rge0 _ ep) hsum addr_ge0 ?sqr_ge0.
move=> h; move: hsum; rewrite h mulr0 => /esym/eqP; rewrite paddr_eq0 ?sqr_ge0 // sqrf_eq0 => /andP[/eqP hv].
rewrite hrest mulf_eq0 gt_eqF //= => /eqP/hz x0.
move: hv; have -> : dotR r x = 0 by apply: dotR_zero_right.
by rewrite addr0 => /eqP; rewrite mulf_eq0 gt_eqF //= => /eqP -> [|j] /=.
Qed.

(* ---------- the symmetric part ---------- *)

(* w^T M x *)
Fixpoint bilinear m w x : R := match m, w with a :: m', v :: w' => v * dotR a x + bilinear m' w' x | _, _ => 0 end.

Lemma dotR_plus_list (a b : seq Z) x : size a = size b -> dotR (tmap2 Z.add a b) x = dotR a x + dotR b x.
Proof.
rewrite tmap2E; elim: a b x => [|u a IH] [|v b] [|y x] //= => [_|_|_|[hs]]; rewrite ?addr0 //.
by rewrite IH // embedD; ring.
Qed.
Lemma bilinear_cons k m w v x : size m = k -> size w = k -> (forall a, List.In a m -> exists c b, a = c :: b) ->
  bilinear m w (v :: x) = v * dotR (tmap (List.hd Z0) m) w + bilinear (tmap (@List.tl Z) m) w x.
Proof.
rewrite !tmapE; elim: k m w => [|k IH] [|a m] [|u w] //= => [_ _ _|[hm] [hw] h]; first by rewrite mulr0 addr0.
have [c [b ->]] := h a (or_introl erefl); rewrite (IH m w) // => [|a' ha]; last by apply: h; right.
by rewrite /=; move: (dotR _ w) (bilinear _ w x) (dotR _ x) (embed _) => s t d e; ring.
Qed.

(* The form of M + M^T is twice that of M. *)
Lemma symmetric_part_sound k m x : size m = k -> (forall a, List.In a m -> size a = k) -> size x = k ->
  [/\ triangular (symmetric_part k m), size (symmetric_part k m) = k & form (symmetric_part k m) x = bilinear m x x *+ 2].
Proof.
elim: k m x => [|k IH] [|[|p r] m] [|v x] //; [by rewrite /= mul0rn | by move=> _ h; have := h _ (or_introl erefl) | move=> [hm] h [hx]].
have hr : size r = k by case: (h _ (or_introl erefl)).
have hrows a : List.In a m -> size a = k.+1 by move=> ha; apply: h; right.
have [|a|h1 h2 h3] := IH (tmap (@List.tl Z) m) x _ _ hx; first by rewrite tmapE size_map.
  by rewrite tmapE => ha; have [b /hrows hb ->] := In_map ha; case: b hb => //= c b [].
have hs : size (tmap (List.hd Z0) m) = k by rewrite tmapE size_map.
rewrite /= h2 (size_tmap2 _ hr hs); split=> //; rewrite h3 dotR_plus_list ?hs //.
rewrite (bilinear_cons v x hm hx) => [|a /hrows]; last by case: a => // c b _; exists c, b.
rewrite embedM; have -> : embed 2 = 2%:R :> R by [].
by move: (dotR _ x) (dotR _ x) (bilinear _ x x) (embed p) => s t d e; ring.
Qed.

(* I14: x^T M x > 0 for a matrix that passes, of any vector x that is not 0. *)
Theorem definite_form_positive k m x : size m = k -> (forall a, List.In a m -> size a = k) -> size x = k ->
  is_definite k (Zpos xH) (symmetric_part k m) -> (exists j, nth 0 x j != 0) -> 0 < bilinear m x x.
Proof.
move=> hm ha hx hd [j hj]; have [h1 h2 h3] := symmetric_part_sound hm ha hx.
have [|h0 hz] := is_definite_sound (x := x) (erefl _ : Z.lt 0 (Zpos xH)) h1 _ hd; first by rewrite h2.
rewrite h3 in h0 hz; rewrite -(pmulrn_lgt0 _ (ltn0Sn 1)) lt_neqAle h0 andbT eq_sym.
by apply/eqP => /hz/(_ j) e; rewrite e eqxx in hj.
Qed.
End Definite.
