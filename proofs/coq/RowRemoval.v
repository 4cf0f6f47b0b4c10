(* S4: removing rows of a matrix A.  B holds the kept rows, a_k is a row of A that lies in the row space of B.  Any s with
   s |v|^2 <= |B v|^2 on the row space of B, so in particular the square of the smallest non-zero singular value of B,
   satisfies s |a_k|^2 <= |B a_k|^2; hence s <= c^2 if a_k is weakly correlated with the kept rows. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section RowRemoval.
Variables (R : realFieldType) (m n : nat) (A : 'M[R]_(m, n)) (kept : {set 'I_m}).
Implicit Types (u v : 'rV[R]_n) (s c : R).

(* inner product and squared norm of row vectors *)
Definition inner_product u v : R := \sum_j u 0 j * v 0 j.
Definition squared_length v : R := \sum_j v 0 j ^+ 2.
(* the kept rows as a matrix: the other rows of A are left out *)
Definition kept_rows : 'M[R]_(#|kept|, n) := rowsub (enum_val : 'I_#|kept| -> 'I_m) A.
(* |B v|^2 for B = kept_rows: the sum of the squared inner products with the kept rows *)
Definition squared_length_of_image v : R := \sum_i (kept_rows *m v^T) i 0 ^+ 2.
(* s |v|^2 <= |B v|^2 for every v in the row space of B *)
Definition below_squared_singular_values s :=
  forall v, (v <= kept_rows)%MS -> s * squared_length v <= squared_length_of_image v.

Lemma squared_length_of_imageE v :
  squared_length_of_image v = \sum_(j in kept) inner_product (row j A) v ^+ 2.
Proof.
rewrite big_enum_val; apply: eq_bigr => i _; congr (_ ^+ 2).
by rewrite mxE; apply: eq_bigr => j _; rewrite !mxE.
Qed.

Lemma squared_length_gt0 v : v != 0 -> 0 < squared_length v.
Proof.
move=> v0; rewrite lt_neqAle eq_sym sumr_ge0 ?andbT => [|j _]; last exact: sqr_ge0.
rewrite psumr_eq0 => [|j _]; last exact: sqr_ge0.
apply: contra v0 => /allP h; apply/eqP/rowP => j; rewrite mxE.
by have := h j (mem_index_enum j); rewrite sqrf_eq0 => /eqP.
Qed.

(* S4, first part.  s |a_k|^2 <= |B a_k|^2 for a row a_k in the row space of the kept rows. *)
Theorem removed_row_bounds_singular_values s k : below_squared_singular_values s -> (row k A <= kept_rows)%MS ->
  s * squared_length (row k A) <= \sum_(j in kept) inner_product (row j A) (row k A) ^+ 2.
Proof. by move=> hs hk; rewrite -squared_length_of_imageE hs. Qed.

(* S4.  M kept rows, a_k != 0 in their row space, <a_j, a_k>^2 <= c^2 |a_k|^2 / M for every kept row a_j: then s <= c^2,
   that is, the smallest non-zero singular value of the kept rows is at most |c|. *)
Theorem weakly_correlated_row_bounds_singular_values s c k :
  below_squared_singular_values s -> row k A != 0 -> (row k A <= kept_rows)%MS ->
  (forall j, j \in kept -> inner_product (row j A) (row k A) ^+ 2 <= c ^+ 2 * squared_length (row k A) / #|kept|%:R) ->
  s <= c ^+ 2.
Proof.
move=> hs /squared_length_gt0 k0 hk hc; rewrite -(ler_pmul2r k0).
apply: le_trans (removed_row_bounds_singular_values hs hk) _; apply: le_trans (ler_sum _ hc) _.
rewrite sumr_const -[X in X <= _]mulr_natr -[X in X <= _]mulrA; apply: ler_pimulr; first by rewrite mulr_ge0 ?sqr_ge0 ?ltW.
by have [->|M0] := eqVneq (#|kept|%:R : R) 0; rewrite ?mulr0 ?ler01 // mulVf.
Qed.
End RowRemoval.
