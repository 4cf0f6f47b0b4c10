(* I2 and I3 (after Puthawala, Kothari, Lassas, Dokmanic, de Hoop; here with arbitrary biases).  I2: the layer
   f(x) = max(0, W x + b) is injective on R^n iff at every x the rows with w_i . x + b_i >= 0 span R^n ("a directed spanning
   set").  I3: rows with negative bias cannot be dropped: (relu(x + 1), relu(-x - 1)) is injective, (relu(x), 0) is not. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Definitions.
Variables (R : realFieldType) (m n : nat) (W : 'M[R]_(m, n)) (b : 'cV[R]_m).
Implicit Types (x v : 'cV[R]_n).

(* the affine map under the activation *)
Definition preactivation x : 'cV[R]_m := W *m x + b.
(* the layer x |-> max(0, W x + b) *)
Definition relu_layer x : 'cV[R]_m := \col_i Num.max 0 (preactivation x i 0).
(* row i is active at x: w_i . x + b_i >= 0 *)
Definition active x := [set i | 0 <= preactivation x i 0].
(* the active rows at x as a matrix: the other rows of W are left out *)
Definition active_rows x : 'M[R]_(#|active x|, n) := rowsub (enum_val : 'I_#|active x| -> 'I_m) W.
(* the active rows at x span the space of all rows: their rank is n *)
Definition directed_spanning_set x := row_full (active_rows x).
End Definitions.

(* A matrix has rank n, its number of columns, iff its kernel is trivial. *)
Lemma row_full_iff_trivial_kernel (F : fieldType) m n (A : 'M[F]_(m, n)) :
  row_full A <-> (forall v : 'cV_n, A *m v = 0 -> v = 0).
Proof.
split=> [/row_fullP[L hL] v hv|h]; first by rewrite -[v]mul1mx -hL -mulmxA hv mulmx0.
suff : row_free A^T by rewrite /row_full /row_free mxrank_tr.
rewrite -kermx_eq0; apply/eqP/row_matrixP => k; rewrite row0; set u := row k _.
have hu : u *m A^T = 0 by apply/eqP; rewrite -sub_kermx row_sub.
have e : u^T = 0 by apply: h; apply: trmx_inj; rewrite trmx_mul trmxK hu trmx0.
by apply: trmx_inj; rewrite e trmx0.
Qed.

Section Layer.
Variables (R : realFieldType) (m n : nat) (W : 'M[R]_(m, n)) (b : 'cV[R]_m).
Implicit Types (x y v : 'cV[R]_n).

(* An entry of the preactivation changes along v by the entry of W v. *)
Lemma preactivation_add x v i : preactivation W b (x + v) i 0 = preactivation W b x i 0 + (W *m v) i 0.
Proof. by rewrite /preactivation mulmxDr !mxE; ring. Qed.

(* The preactivation at a midpoint is the mean of the preactivations. *)
Lemma preactivation_midpoint x y i :
  preactivation W b (2%:R^-1 *: (x + y)) i 0 = (preactivation W b x i 0 + preactivation W b y i 0) / 2%:R.
Proof.
have two : 2%:R != 0 :> R by rewrite pnatr_eq0.
rewrite /preactivation -scalemxAr mulmxDr !mxE; set p := \sum_j _; set q := \sum_j _.
by field.
Qed.

(* W (x - y) is the difference of the preactivations. *)
Lemma preactivation_sub x y i : (W *m (x - y)) i 0 = preactivation W b x i 0 - preactivation W b y i 0.
Proof. by rewrite /preactivation mulmxBr !mxE; ring. Qed.

(* The active rows at x span iff only v = 0 is orthogonal to all of them. *)
Lemma directed_spanning_set_iff_trivial_kernel x :
  directed_spanning_set W b x <-> (forall v, (forall i, 0 <= preactivation W b x i 0 -> (W *m v) i 0 = 0) -> v = 0).
Proof.
have E v k : (active_rows W b x *m v) k 0 = (W *m v) (enum_val k) 0.
  by rewrite !mxE; apply: eq_bigr => j _; rewrite !mxE.
rewrite row_full_iff_trivial_kernel; split=> h v hv; apply: h.
  by apply/colP => k; rewrite E [RHS]mxE hv //; have := enum_valP k; rewrite inE.
move=> i hi; have a : i \in active W b x by rewrite inE.
by have := E v (enum_rank_in a i); rewrite hv mxE enum_rankK_in.
Qed.

(* I2: if x and y have the same image, then the rows active at their midpoint vanish on x - y. *)
Theorem injective_of_directed_spanning_sets :
  (forall x, directed_spanning_set W b x) -> injective (relu_layer W b).
Proof.
move=> h x y /colP e; apply/eqP; rewrite -subr_eq0; apply/eqP.
apply: (directed_spanning_set_iff_trivial_kernel (2%:R^-1 *: (x + y))).1 => // i.
rewrite preactivation_midpoint preactivation_sub pmulr_lge0 ?invr_gt0 ?ltr0n // => s.
have := e i; rewrite [LHS]mxE [RHS]mxE.
move: (preactivation W b x i 0) (preactivation W b y i 0) s => p q s.
case: (lerP p 0) => hp; case: (lerP q 0) => hq e'; last by rewrite e' subrr.
- have p0 : p = 0 by apply/eqP; rewrite eq_le hp /= -(ler_add2r q) add0r (le_trans hq).
  have q0 : q = 0 by apply/eqP; rewrite eq_le hq /= -(ler_add2l p) addr0 (le_trans hp).
  by rewrite p0 q0 subrr.
- by move: hq; rewrite -e' ltxx.
- by move: hp; rewrite e' ltxx.
Qed.

(* I2: if v is orthogonal to the rows active at x, then f(x + t v) = f(x) for small t > 0. *)
Theorem directed_spanning_sets_of_injective :
  injective (relu_layer W b) -> forall x, directed_spanning_set W b x.
Proof.
move=> inj x; apply/directed_spanning_set_iff_trivial_kernel => v hv; apply/eqP; apply/negPn/negP => v0.
pose p i := preactivation W b x i 0; pose M := 1 + \sum_i `|(W *m v) i 0|.
have M0 : 0 < M by rewrite ltr_paddr // sumr_ge0.
have hM i : (W *m v) i 0 <= M.
  apply: le_trans (ler_norm _) _; rewrite /M (bigD1 i) //= addrCA ler_addl addr_ge0 ?ler01 //.
  exact: sumr_ge0.
(* t is small enough for every inactive row to stay inactive *)
have [t t0 ht] : exists2 t : R, 0 < t & forall i, p i < 0 -> p i + t * M <= 0.
  suff [d d0 hd] : exists2 d : R, 0 < d & forall i, i \in enum 'I_m -> p i < 0 -> d <= - p i.
    exists (d / M); first exact: divr_gt0.
    by move=> i hi; rewrite divfK ?gt_eqF // -ler_subr_addl sub0r hd ?mem_enum.
  elim: (enum 'I_m) => [|j s [d d0 hd]].
    by exists 1; [exact: ltr01 | move=> i; rewrite in_nil].
  exists (Num.min d (if p j < 0 then - p j else 1)).
    by rewrite lt_minr d0; case: ifP => h; rewrite ?oppr_gt0 ?ltr01.
  move=> i; rewrite inE => /orP[/eqP->|hi] h; first by rewrite h le_minl lexx orbT.
  by rewrite le_minl (hd i hi h).
have : x + t *: v = x.
  apply: inj; apply/colP => i; rewrite [LHS]mxE [RHS]mxE preactivation_add -scalemxAr [X in _ + X]mxE -/(p i).
  case: (lerP 0 (p i)) => hx; first by rewrite (hv i hx) mulr0 addr0 max_r.
  have h1 : p i + t * (W *m v) i 0 <= 0.
    by apply: le_trans (ht i hx); rewrite ler_add2l ler_pmul2l.
  by rewrite !max_l // ltW.
by move/eqP; rewrite -subr_eq0 addrC addKr scaler_eq0 (negbTE v0) gt_eqF //.
Qed.

(* I2.  A ReLU layer with arbitrary biases is injective iff at every point its active rows span. *)
Theorem layer_injective_iff_directed_spanning_sets :
  injective (relu_layer W b) <-> (forall x, directed_spanning_set W b x).
Proof. by split; [exact: directed_spanning_sets_of_injective | exact: injective_of_directed_spanning_sets]. Qed.

(* I2 with the kernel written out: no v != 0 is orthogonal to all rows that are active at some x. *)
Corollary layer_injective_iff_trivial_kernels :
  injective (relu_layer W b) <->
  (forall x v, (forall i, 0 <= preactivation W b x i 0 -> (W *m v) i 0 = 0) -> v = 0).
Proof.
rewrite layer_injective_iff_directed_spanning_sets.
by split=> h x; have := h x; rewrite directed_spanning_set_iff_trivial_kernel.
Qed.
End Layer.

(* I3.  With W = [1; -1], b = [1; -1] the layer is injective. *)
Theorem layer_with_negative_bias_injective (R : realFieldType) :
  injective (relu_layer (col_mx 1%:M (- 1%:M)) (col_mx 1%:M (- 1%:M)) : 'cV[R]_1 -> 'cV[R]_(1 + 1)).
Proof.
apply/layer_injective_iff_trivial_kernels => x v; rewrite /preactivation !mul_col_mx add_col_mx !mulNmx !mul1mx => h.
have [p|p] := lerP 0 ((x + 1%:M) 0 0); apply/colP => i; rewrite ord1 [RHS]mxE.
  by have := h (lshift 1 0); rewrite !col_mxEu; apply.
apply/eqP; rewrite -oppr_eq0; have := h (rshift 1 0); rewrite !col_mxEd -opprD [(- v) _ _]mxE => -> //.
by rewrite mxE oppr_ge0 ltW.
Qed.

(* I3.  Without the biases and without the row of negative bias it is not: -1 and -2 have the same image. *)
Theorem layer_without_negative_bias_row_not_injective (R : realFieldType) :
  ~ injective (relu_layer (col_mx 1%:M 0) 0 : 'cV[R]_1 -> 'cV[R]_(1 + 1)).
Proof.
have z (x : 'cV[R]_1) : x 0 0 <= 0 -> relu_layer (col_mx 1%:M 0) 0 x = (0 : 'cV_(1 + 1)).
  move=> hx; apply/colP => i; rewrite mxE [RHS]mxE /preactivation addr0 mul_col_mx mul1mx mul0mx; apply/max_idPl.
  by case: (split_ordP i) => j ->; rewrite ord1 ?col_mxEu // col_mxEd mxE.
move=> /(_ (- 1%:M) (- (2%:R)%:M)); rewrite !z ?mxE ?eqxx ?oppr_le0 ?ler01 ?ler0n // => /(_ erefl) /colP /(_ 0) /eqP.
by rewrite !mxE eqxx eqr_opp -subr_eq0 -opprB oppr_eq0 mulr2n addrK oner_eq0.
Qed.
