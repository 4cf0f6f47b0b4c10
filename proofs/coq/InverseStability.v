(* I6: stability of the inverse of a ReLU layer f(x) = max(0, W x + b), with a constant free of the dimension and without
   square roots.  If q |v|^2 <= |W' v|^2 for all v, where W' holds the rows active at the midpoint of x and y (so sqrt q is at
   most the n-th singular value of W'), then q/4 |x - y|^2 <= |f(x) - f(y)|^2.  The factor 1/4 is the best possible. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import LayerInjectivity.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section SquaredNorm.
Variable R : realFieldType.

(* the squared Euclidean norm *)
Definition squared_norm k (v : 'cV[R]_k) : R := \sum_i v i 0 ^+ 2.

Lemma squared_norm_ge0 k (v : 'cV[R]_k) : 0 <= squared_norm v.
Proof. by apply: sumr_ge0 => i _; exact: sqr_ge0. Qed.

Lemma squared_norm_eq0 k (v : 'cV[R]_k) : (squared_norm v == 0) = (v == 0).
Proof.
rewrite /squared_norm psumr_eq0 => [|i _]; last exact: sqr_ge0.
apply/allP/eqP => [h|-> i _]; last by rewrite mxE expr0n eqxx.
by apply/colP => i; rewrite mxE; have := h i (mem_index_enum i); rewrite sqrf_eq0 => /eqP.
Qed.
End SquaredNorm.

Section Stability.
Variables (R : realFieldType) (m n : nat) (W : 'M[R]_(m, n)) (b : 'cV[R]_m).
Implicit Types (x y v : 'cV[R]_n) (q : R).

(* q |v|^2 <= sum of (w_i . v)^2 over the rows active at z, for every v *)
Definition active_rows_bounded_below q z :=
  forall v, q * squared_norm v <= \sum_(i in active W b z) (W *m v) i 0 ^+ 2.

(* The sum is |W' v|^2 for the matrix W' of the active rows. *)
Lemma squared_norm_active_rows z v :
  squared_norm (active_rows W b z *m v) = \sum_(i in active W b z) (W *m v) i 0 ^+ 2.
Proof.
rewrite big_enum_val; apply: eq_bigr => k _; congr (_ ^+ 2).
by rewrite !mxE; apply: eq_bigr => j _; rewrite !mxE.
Qed.

(* The entries of f(x) - f(y). *)
Lemma relu_layer_sub x y i : (relu_layer W b x - relu_layer W b y) i 0 =
  Num.max 0 (preactivation W b x i 0) - Num.max 0 (preactivation W b y i 0).
Proof. by rewrite [LHS]mxE [X in X + _]mxE [X in _ + X]mxE [X in - X]mxE. Qed.

(* For numbers with p + r >= 0 the activation shrinks the distance by a factor of at most 2. *)
Lemma relu_halves_at_most (p r : R) : 0 <= p + r -> (p - r) ^+ 2 / 4%:R <= (Num.max 0 p - Num.max 0 r) ^+ 2.
Proof.
suff H (s t : R) : 0 <= s + t -> t <= 0 -> (s - t) ^+ 2 / 4%:R <= (Num.max 0 s - Num.max 0 t) ^+ 2.
  move=> h; have [r0|r0] := lerP r 0; first by have := H p r h r0; rewrite (max_l r0).
  have [p0|p0] := lerP p 0; last by rewrite ler_pdivr_mulr ?ltr0n // ler_pemulr ?sqr_ge0 // ler1n.
  by rewrite addrC in h; have := H r p h p0; rewrite (max_l p0) (max_r (ltW r0)) -sqrrN opprB -[X in _ <= X]sqrrN opprB.
move=> h t0; have hs : - t <= s by rewrite -subr_ge0 opprK.
have s0 : 0 <= s by apply: le_trans hs; rewrite oppr_ge0.
rewrite (max_r s0) (max_l t0) subr0 ler_pdivr_mulr ?ltr0n //.
have -> : s ^+ 2 * 4%:R = (s + s) ^+ 2 by rewrite -mulr2n exprMn_n mulr_natr.
by rewrite ler_sqr ?nnegrE ?addr_ge0 ?oppr_ge0 // ler_add2l.
Qed.

(* I6.  A lower bound q on the rows active at the midpoint of x and y gives q/4 |x - y|^2 <= |f(x) - f(y)|^2. *)
Theorem inverse_stability x y q :
  active_rows_bounded_below q (2%:R^-1 *: (x + y)) ->
  q / 4%:R * squared_norm (x - y) <= squared_norm (relu_layer W b x - relu_layer W b y).
Proof.
set z := _ *: _ => /(_ (x - y)) h; rewrite mulrAC.
apply: (@le_trans _ _ (\sum_(i in active W b z) (W *m (x - y)) i 0 ^+ 2 / 4%:R)).
  by rewrite -mulr_suml ler_wpmul2r ?invr_ge0 ?ler0n.
rewrite [X in _ <= X](bigID (fun i => i \in active W b z)) /= -[X in X <= _]addr0; apply: ler_add; last first.
  by apply: sumr_ge0 => i _; exact: sqr_ge0.
apply: ler_sum => i; rewrite inE preactivation_midpoint pmulr_lge0 ?invr_gt0 ?ltr0n // => s.
by rewrite (preactivation_sub W b) relu_layer_sub relu_halves_at_most.
Qed.

(* I6.  If one q > 0 is a lower bound at the midpoint of any two points, then the layer is injective. *)
Corollary injective_of_active_rows_bounded_below q : 0 < q ->
  (forall x y, active_rows_bounded_below q (2%:R^-1 *: (x + y))) -> injective (relu_layer W b).
Proof.
move=> q0 h x y e; have := inverse_stability (h x y).
rewrite e subrr (_ : squared_norm 0 = 0); last by apply/eqP; rewrite squared_norm_eq0.
rewrite pmulr_rle0 ?divr_gt0 ?ltr0n // => l.
by apply/eqP; rewrite -subr_eq0 -squared_norm_eq0 eq_le l squared_norm_ge0.
Qed.
End Stability.

(* I6 is tight: W = [1; -1], b = 0, x = 1, y = -1, q = 2 attain equality. *)
Theorem inverse_stability_attained (R : realFieldType) :
  let W := col_mx 1%:M (- 1%:M) : 'M[R]_(1 + 1, 1) in let x := 1%:M in let y := - 1%:M in
  [/\ active_rows_bounded_below W 0 2%:R (2%:R^-1 *: (x + y)), 0 < squared_norm (x - y)
    & 2%:R / 4%:R * squared_norm (x - y) = squared_norm (relu_layer W 0 x - relu_layer W 0 y)].
Proof.
move=> W x y; have four : 4%:R != 0 :> R by rewrite pnatr_eq0.
have n1 (v : 'cV[R]_1) : squared_norm v = v 0 0 ^+ 2 by rewrite /squared_norm big_ord1.
have Wv (v : 'cV[R]_1) : W *m v = col_mx v (- v) by rewrite mul_col_mx mulNmx mul1mx.
have two : (x - y) 0 0 = 2%:R by rewrite !mxE eqxx opprK.
split.
- move=> v; rewrite (eq_bigl xpredT) => [|i]; last by rewrite inE /preactivation subrr scaler0 mulmx0 addr0 mxE lexx.
  by rewrite big_split_ord /= !big_ord1 Wv !col_mxEu !col_mxEd n1 [(- v) 0 0]mxE sqrrN mulr_natl.
- by rewrite n1 two exprn_gt0 // ltr0n.
- rewrite n1 two /squared_norm big_split_ord /= !big_ord1.
  rewrite !relu_layer_sub /preactivation !addr0 !Wv !col_mxEu !col_mxEd /x /y !mxE eqxx !opprK.
  rewrite (max_r ler01) max_l ?oppr_le0 ?ler01 //.
  by field.
Qed.

(* I6.  So no constant above 1/4 would do. *)
Corollary quarter_is_best_constant (R : realFieldType) (c : R) :
  (forall m n (W : 'M[R]_(m, n)) b x y q, active_rows_bounded_below W b q (2%:R^-1 *: (x + y)) ->
     c * q * squared_norm (x - y) <= squared_norm (relu_layer W b x - relu_layer W b y)) ->
  c <= 4%:R^-1.
Proof.
have [h pos e] := inverse_stability_attained R => /(_ _ _ _ _ _ _ _ h); rewrite -e ler_pmul2r //.
by rewrite [c * _]mulrC ler_pmul2l // ltr0n.
Qed.
