(* I5: an injective ReLU layer R^n -> R^m, f(x) = max(0, W x + b), doubles the dimension: 2 n <= m, whatever the biases.
   For m = 2 n and b = 0 the injective layers are exactly those with W = [B; -D B] up to the order of the rows, B invertible,
   D diagonal with positive entries d_i.  With biases [b1; b2] such a layer is injective iff b2_i >= - d_i b1_i for all i. *)
From mathcomp Require Import all_ssreflect all_algebra all_fingroup.
From ExactRelu Require Import LayerInjectivity.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* A non-zero polynomial over an ordered field has a point where it does not vanish. *)
Lemma polynomial_non_root (R : realFieldType) (p : {poly R}) : p != 0 -> exists t, p.[t] != 0.
Proof.
move=> p0; pose rs := [seq i%:R : R | i <- iota 0 (size p)].
have /allPn[t _ ht] : ~~ all (root p) rs; last by exists t.
apply/negP => h; have := max_poly_roots p0 h.
rewrite size_map size_iota ltnn map_inj_uniq ?iota_uniq => [/(_ isT) //|i j /eqP].
by rewrite eqr_nat => /eqP.
Qed.

Section Rows.
Variables (R : realFieldType) (m n : nat) (W : 'M[R]_(m, n)).
Implicit Types (u v x y : 'cV[R]_n) (S : {set 'I_m}).

(* Some v is orthogonal to no non-zero row of W: v = (1, t, t^2, ...) where t is a root of none of the polynomials whose
   coefficients are the non-zero rows. *)
Lemma generic_vector : exists v, forall i, row i W != 0 -> (W *m v) i 0 != 0.
Proof.
have [] := @polynomial_non_root R (\prod_(i | row i W != 0) rVpoly (row i W)).
  apply/prodf_neq0 => i; apply: contra => /eqP e.
  by rewrite -(rVpolyK (row i W)) e linear0.
move=> t; rewrite horner_prod => /prodf_neq0 h; exists (\col_j t ^+ j) => i /h.
rewrite (_ : (W *m _) i 0 = (rVpoly (row i W)).[t]) // horner_poly mxE; apply: eq_bigr => j _.
by rewrite valK !mxE.
Qed.

(* the rows that are positive at x *)
Definition positive_rows x := [set i | 0 < (W *m x) i 0].
(* the rows in S span: only u = 0 is orthogonal to all of them *)
Definition spanning S := forall u, (forall i, i \in S -> (W *m u) i 0 = 0) -> u = 0.

(* Spanning takes at least n rows. *)
Lemma spanning_size S : spanning S -> (n <= #|S|)%N.
Proof.
move=> h; have /eqP <- : row_full (rowsub (enum_val : 'I_#|S| -> 'I_m) W); last exact: rank_leq_row.
apply/row_full_iff_trivial_kernel => u e; apply: h => i hi.
have := congr1 (fun c : 'cV_#|S| => c (enum_rank_in hi i) 0) e; rewrite [RHS]mxE => <-.
by rewrite !mxE; apply: eq_bigr => j _; rewrite mxE enum_rankK_in.
Qed.

(* No row is positive both at x and at -x. *)
Lemma positive_rows_disjoint x : [disjoint positive_rows x & positive_rows (- x)].
Proof.
by apply/pred0P => i /=; rewrite !inE mulmxN [(- (W *m x)) i 0]mxE oppr_gt0; case: ltrgt0P.
Qed.
End Rows.

Section Expansivity.
Variables (R : realFieldType) (m n : nat) (W : 'M[R]_(m, n)) (b : 'cV[R]_m).
Implicit Types (u v x y : 'cV[R]_n).

(* Far out in direction x, at y + t x with t large, the rows that are negative at x are inactive. *)
Lemma negative_rows_inactive_far_out x y :
  exists t, forall i, (W *m x) i 0 < 0 -> preactivation W b (y + t *: x) i 0 < 0.
Proof.
pose p i := preactivation W b y i 0; pose a i := (W *m x) i 0.
exists (1 + \sum_i `|p i / a i|) => i ai; rewrite preactivation_add -scalemxAr [X in _ + X]mxE -/(p i) -/(a i).
rewrite -[a i]opprK mulrN subr_lt0 -/(a i); have na : 0 < - a i by rewrite oppr_gt0.
have s0 : 0 <= \sum_(j | j != i) `|p j / a j| by apply: sumr_ge0.
rewrite (bigD1 i) //= !mulrDl mul1r addrCA normrM normfV (ltr0_norm ai) divfK ?gt_eqF //.
apply: le_lt_trans (ler_norm _) _; rewrite ltr_addl; apply: ltr_paddr => //.
by rewrite mulr_ge0 // ltW.
Qed.

(* So in an injective layer the rows positive at x, with those that vanish at x and are active at y, span. *)
Lemma rows_active_far_out_span x y : injective (relu_layer W b) ->
  spanning W [set i | (0 < (W *m x) i 0) || ((W *m x) i 0 == 0) && (0 <= preactivation W b y i 0)].
Proof.
move=> /layer_injective_iff_trivial_kernels inj u hu; have [t ht] := negative_rows_inactive_far_out x y.
apply: (inj (y + t *: x)) => i hi; apply: hu; rewrite inE.
case: (ltrgt0P ((W *m x) i 0)) => //= hx; first by have := ht i hx; rewrite ltNge hi.
by move: hi; rewrite preactivation_add -scalemxAr [X in _ + X]mxE hx mulr0 addr0.
Qed.

(* An injective layer stays injective when its biases are dropped. *)
Lemma injective_without_biases : injective (relu_layer W b) -> injective (relu_layer W 0).
Proof.
move=> inj; apply/layer_injective_iff_trivial_kernels => x u hu.
apply: (@rows_active_far_out_span x 0) => // i; rewrite inE => h; apply: hu.
by rewrite /preactivation addr0; case/orP: h => [/ltW //|/andP[/eqP -> _]].
Qed.

(* The positive rows span at every x that is orthogonal to no non-zero row. *)
Lemma positive_rows_span x : injective (relu_layer W b) ->
  (forall i, row i W != 0 -> (W *m x) i 0 != 0) -> spanning W (positive_rows W x).
Proof.
move=> inj gen u hu; apply: (@rows_active_far_out_span x 0) => // i; rewrite inE => /orP[h|/andP[h _]].
  by apply: hu; rewrite inE.
have /eqP r0 : row i W == 0 by apply: contraLR h; apply: gen.
by have := congr1 (fun c : 'M_1 => c 0 0) (row_mul i W u); rewrite r0 mul0mx !mxE.
Qed.

(* I5.  An injective ReLU layer, with any biases, has at least twice as many rows as columns. *)
Theorem injective_layer_doubles_dimension : injective (relu_layer W b) -> (2 * n <= m)%N.
Proof.
move=> inj; have [v gen] := generic_vector W.
have hp := spanning_size (positive_rows_span inj gen).
have hn : (n <= #|positive_rows W (- v)|)%N.
  apply/spanning_size/positive_rows_span => // i /gen.
  by rewrite mulmxN [(- (W *m v)) i 0]mxE oppr_eq0.
have := leq_add hp hn; rewrite addnn -mul2n -[(_ + _)%N]cardsUI.
have /eqP -> : positive_rows W v :&: positive_rows W (- v) == set0 by rewrite setI_eq0 positive_rows_disjoint.
by rewrite cards0 addn0 => h; apply: leq_trans h _; rewrite -[X in (_ <= X)%N](card_ord m) max_card.
Qed.
End Expansivity.

(* Reordering the rows of a layer reorders its output, and does not affect injectivity. *)
Lemma injective_row_perm (R : realFieldType) m n (W : 'M[R]_(m, n)) b (s : 'S_m) :
  injective (relu_layer (row_perm s W) (row_perm s b)) <-> injective (relu_layer W b).
Proof.
have E x : relu_layer (row_perm s W) (row_perm s b) x = row_perm s (relu_layer W b x).
  by apply/colP => i; rewrite !mxE; congr (Num.max _ (_ + _)); apply: eq_bigr => j _; rewrite mxE.
split=> inj x y e; apply: inj; first by rewrite !E e.
move: e; rewrite !E => /colP h; apply/colP => i.
by have := h (s^-1%g i); rewrite ![row_perm _ _ _ _]mxE permKV.
Qed.

Section OppositeRows.
Variables (R : realFieldType) (n : nat) (W : 'M[R]_(n + n, n)).
Hypothesis inj : injective (relu_layer W 0).
Implicit Types (u v x y : 'cV[R]_n).

(* Some x is orthogonal to a given row p, but to no row that is not a multiple of p. *)
Lemma generic_vector_orthogonal_to (p : 'rV[R]_n) : p != 0 ->
  exists2 x : 'cV[R]_n, p *m x = 0 & forall i, (W *m x) i 0 = 0 -> exists c, row i W = c *: p.
Proof.
move=> p0; pose q := (p *m p^T) 0 0.
have q0 : q != 0.
  rewrite /q mxE psumr_eq0 => [|i _]; last by rewrite mxE -expr2 sqr_ge0.
  apply: contra p0 => /allP h; apply/eqP/rowP => i; rewrite mxE.
  by have := h i (mem_index_enum i); rewrite mxE -expr2 sqrf_eq0 => /eqP.
(* K projects onto the hyperplane orthogonal to p *)
pose K : 'M[R]_n := 1%:M - q^-1 *: (p^T *m p).
have wK (w : 'rV[R]_n) : w *m K = w - (q^-1 * (w *m p^T) 0 0) *: p.
  by rewrite mulmxBr mulmx1 -scalemxAr mulmxA {1}[w *m p^T]mx11_scalar mul_scalar_mx scalerA.
have [z gen] := generic_vector (W *m K); exists (K *m z).
  by rewrite mulmxA wK -/q mulVf // scale1r subrr mul0mx.
move=> i hi; exists (q^-1 * (row i W *m p^T) 0 0); apply/eqP; rewrite -subr_eq0 -wK -row_mul.
by apply: contraTT isT => /gen; rewrite -mulmxA hi eqxx.
Qed.

(* Every non-zero row has a partner: a row that is a negative multiple of it.  Otherwise take x as above and step from x and
   from -x a little against p: p becomes inactive, n rows must be positive at x, n others at -x, and p is none of them. *)
Lemma partner_row p : row p W != 0 -> exists k, exists2 d : R, 0 < d & row k W = - d *: row p W.
Proof.
move=> p0; have [x px par] := generic_vector_orthogonal_to p0; pose y := - (row p W)^T.
have yE k c : row k W = c *: row p W -> (W *m y) k 0 = - c * \sum_j W p j ^+ 2.
  move=> e; rewrite mulmxN [LHS]mxE mxE mulNr mulr_sumr; congr (- _); apply: eq_bigr => j _.
  by have := congr1 (fun r : 'rV_n => r 0 j) e; rewrite !mxE => ->; rewrite mulrA.
have sq0 : 0 <= \sum_j W p j ^+ 2 by apply: sumr_ge0 => j _; exact: sqr_ge0.
have [k|none] := pickP (fun k => [&& row k W != 0, (W *m x) k 0 == 0 & 0 <= (W *m y) k 0]).
  case/and3P=> k0 /eqP /par[c e] hy; exists k, (- c); last by rewrite opprK.
  have c0 : c != 0 by apply: contra k0 => /eqP c0; rewrite e c0 scale0r.
  rewrite oppr_gt0 lt_neqAle c0 /= leNgt; apply/negP => cpos; move: hy.
  rewrite (yE k c e) mulNr oppr_ge0 pmulr_rle0 // => h.
  have /eqP : \sum_j W p j ^+ 2 = 0 by apply/eqP; rewrite eq_le h sq0.
  rewrite psumr_eq0 => [/allP z|j _]; last exact: sqr_ge0.
  case/negP: p0; apply/eqP/rowP => j; rewrite !mxE.
  by have := z j (mem_index_enum j); rewrite sqrf_eq0 => /eqP.
have span x' : (forall k, ((W *m x') k 0 == 0) = ((W *m x) k 0 == 0)) -> spanning W (positive_rows W x').
  move=> same u hu; apply: (rows_active_far_out_span (x := x') (y := y) inj) => k; rewrite inE /preactivation addr0.
  case/orP=> [h|]; first by apply: hu; rewrite inE.
  rewrite same => h; have := none k; rewrite h andbT => /negbT /negPn /eqP r0.
  by have := congr1 (fun c : 'M_1 => c 0 0) (row_mul k W u); rewrite r0 mul0mx !mxE.
have hp := spanning_size (span x (fun _ => erefl)).
have hn : (n <= #|positive_rows W (- x)|)%N.
  by apply/spanning_size/span => k; rewrite mulmxN [(- (W *m x)) k 0]mxE oppr_eq0.
have px0 : (W *m x) p 0 = 0.
  by have := congr1 (fun c : 'M_1 => c 0 0) (row_mul p W x); rewrite px !mxE.
have : (#|positive_rows W x :|: positive_rows W (- x)| < n + n)%N.
  rewrite -[X in (_ < X)%N](card_ord (n + n)) -cardsT; apply: proper_card; apply/properP; split; first exact: subsetT.
  by exists p; rewrite ?inE // mulmxN [(- (W *m x)) p 0]mxE px0 oppr0 ltxx.
by rewrite cardsU disjoint_setI0 ?positive_rows_disjoint // cards0 subn0 ltnNge leq_add.
Qed.

(* An injective layer with m = 2 n rows and without biases is [B; -D B] up to the order of its rows. *)
Lemma opposite_blocks_of_injective : exists s : 'S_(n + n), exists B : 'M[R]_n, exists d : 'rV[R]_n,
  [/\ B \in unitmx, forall i, 0 < d 0 i & row_perm s W = col_mx B (- (diag_mx d *m B))].
Proof.
have [v gen] := generic_vector W; pose P := positive_rows W v.
have spanP : spanning W P := positive_rows_span inj gen.
(* at a generic v exactly n rows are positive: they are the rows f 0, ..., f (n - 1) *)
have cardP : #|P| = n.
  apply/eqP; rewrite eqn_leq (spanning_size spanP) andbT -(leq_add2r n).
  have hn : (n <= #|positive_rows W (- v)|)%N.
    apply/spanning_size/(positive_rows_span inj) => i /gen.
    by rewrite mulmxN [(- (W *m v)) i 0]mxE oppr_eq0.
  apply: leq_trans (_ : #|P :|: positive_rows W (- v)| <= _)%N.
    by rewrite cardsU disjoint_setI0 ?positive_rows_disjoint // cards0 subn0 leq_add2l.
  by rewrite -[X in (_ <= X)%N](card_ord (n + n)) max_card.
pose f (i : 'I_n) : 'I_(n + n) := enum_val (cast_ord (esym cardP) i).
have fP i : 0 < (W *m v) (f i) 0 by have := enum_valP (cast_ord (esym cardP) i); rewrite inE.
have f_onto k : k \in P -> exists i, f i = k.
  by move=> hk; exists (cast_ord cardP (enum_rank_in hk k)); rewrite /f cast_ordK enum_rankK_in.
have rowv k : (row k W *m v) 0 0 = (W *m v) k 0 by rewrite -row_mul mxE.
pose B : 'M[R]_n := \matrix_(i, j) W (f i) j.
have rowB i : row i B = row (f i) W by apply/rowP => j; rewrite !mxE.
have Bu : B \in unitmx.
  rewrite -row_full_unit; apply/row_full_iff_trivial_kernel => u e; apply: spanP => k /f_onto[i <-].
  have := congr1 (fun c : 'cV_n => c i 0) e; rewrite [RHS]mxE => <-.
  by rewrite !mxE; apply: eq_bigr => j _; rewrite mxE.
(* the partners g 0, ..., g (n - 1) are negative at v and pairwise different, since the rows of B are independent *)
have /fin_all_exists[g /fin_all_exists2[d d0 gE]] i : exists k, exists2 d : R, 0 < d & row k W = - d *: row (f i) W.
  apply: partner_row; apply: contraTneq (fP i) => e.
  by rewrite -rowv e mul0mx mxE ltxx.
have gN i : (W *m v) (g i) 0 < 0.
  by rewrite -rowv gE -scalemxAl mxE rowv mulNr oppr_lt0 mulr_gt0.
have f_inj : injective f by move=> i j /enum_val_inj /cast_ord_inj.
have g_inj : injective g.
  move=> i j e; have : - d i *: row i B = - d j *: row j B by rewrite !rowB -!gE e.
  rewrite !rowE !scalemxAl => /(can_inj (mulmxK Bu)) /rowP /(_ i) /eqP; rewrite !mxE !eqxx /= mulr1.
  by case: (i =P j) => // _; rewrite mulr0 oppr_eq0 gt_eqF.
pose h (k : 'I_(n + n)) := match split k with inl i => f i | inr i => g i end.
have h_inj : injective h.
  have neq i j : f i != g j by apply: contraTneq (gN j) => <-; rewrite -leNgt ltW.
  move=> k l; case: (split_ordP k) => i ->; case: (split_ordP l) => j ->; rewrite /h;
    rewrite ?(unsplitK (inl _ _)) ?(unsplitK (inr _ _)).
  - by move/f_inj ->.
  - by move/eqP; rewrite (negbTE (neq _ _)).
  - by move/esym/eqP; rewrite (negbTE (neq _ _)).
  - by move/g_inj ->.
exists (perm h_inj), B, (\row_i d i); split=> // [i|]; first by rewrite mxE.
apply/row_matrixP => k; have -> : row k (row_perm (perm h_inj) W) = row (h k) W by apply/rowP => j; rewrite !mxE permE.
case: (split_ordP k) => i ->; rewrite /h ?(unsplitK (inl _ _)) ?(unsplitK (inr _ _)) ?rowKu ?rowB //.
by rewrite rowKd gE -rowB linearN /= row_mul row_diag_mx mxE -scalemxAl -rowE scaleNr.
Qed.
End OppositeRows.

(* I5, with biases.  For W = [B; -D B] and b = [b1; b2], B invertible, D diagonal with positive entries d_i, the layer is
   injective iff b2_i >= - d_i b1_i for all i: at every x one of the rows i and n + i is active. *)
Theorem opposite_blocks_injective_iff (R : realFieldType) n (B : 'M[R]_n) (d : 'rV[R]_n) (b1 b2 : 'cV[R]_n) :
  B \in unitmx -> (forall i, 0 < d 0 i) ->
  injective (relu_layer (col_mx B (- (diag_mx d *m B))) (col_mx b1 b2)) <-> (forall i, - d 0 i * b1 i 0 <= b2 i 0).
Proof.
move=> Bu d0; set W := col_mx B (- (diag_mx d *m B)); set b := col_mx b1 b2.
have lower y i : (- (diag_mx d *m B) *m y) i 0 = - (d 0 i * (B *m y) i 0).
  by rewrite mulNmx mxE -mulmxA mul_diag_mx [in LHS]mxE.
have top y i : preactivation W b y (lshift n i) 0 = (B *m y) i 0 + b1 i 0.
  by rewrite /preactivation mul_col_mx add_col_mx col_mxEu mxE.
have bottom y i : preactivation W b y (rshift n i) 0 = - (d 0 i * (B *m y) i 0) + b2 i 0.
  by rewrite /preactivation mul_col_mx add_col_mx col_mxEd mxE lower.
rewrite layer_injective_iff_trivial_kernels; split=> [inj i|hb x v hv].
  rewrite leNgt; apply/negP => lt; pose e : 'cV[R]_n := delta_mx i 0.
  (* otherwise some c has c < - b1_i and c > b2_i / d_i; at x = c B^-1 e_i rows i and n + i are inactive *)
  pose c := (b2 i 0 / d 0 i - b1 i 0) / 2%:R; have two : 0 < 2%:R :> R by rewrite ltr0n.
  have lt' : b2 i 0 / d 0 i < - b1 i 0 by rewrite ltr_pdivr_mulr // mulrC mulrN -mulNr.
  have [lt1 lt2] := (midf_lt lt').
  have e0 : invmx B *m e = 0.
    apply: (inj (c *: (invmx B *m e))) => k.
    have BB a : B *m (a *: (invmx B *m e)) = a *: e by rewrite -scalemxAr mulKVmx.
    have B1 : B *m (invmx B *m e) = e by rewrite mulKVmx.
    case: (split_ordP k) => j ->; rewrite ?top ?bottom mul_col_mx ?col_mxEu ?col_mxEd ?lower BB B1 !mxE andbT.
      by case: (j =P i) => // -> ; rewrite mulr1 leNgt -ltr_subr_addr sub0r lt2.
    case: (j =P i) => [->|_]; last by rewrite !mulr0 oppr0.
    by rewrite mulr1 addrC subr_ge0 leNgt [d 0 i * c]mulrC -ltr_pdivr_mulr // lt1.
  have : e = 0 by rewrite -[e](mulKVmx Bu) e0 mulmx0.
  by move/colP/(_ i)/eqP; rewrite !mxE !eqxx oner_eq0.
have Bv : B *m v = 0.
  apply/colP => i; rewrite [RHS]mxE; have [hi|hi] := lerP 0 ((B *m x) i 0 + b1 i 0).
    by have := hv (lshift n i); rewrite top mul_col_mx col_mxEu => ->.
  have := hv (rshift n i); rewrite bottom mul_col_mx col_mxEd lower => /(_ _)/eqP.
  rewrite oppr_eq0 mulf_eq0 gt_eqF //= => h; apply/eqP/h.
  apply: le_trans (_ : - (d 0 i * (B *m x) i 0) - d 0 i * b1 i 0 <= _); last by rewrite ler_add2l -mulNr.
  by rewrite -opprD -mulrDr oppr_ge0 pmulr_rle0 // ltW.
by rewrite -[v](mulKmx Bu) Bv mulmx0.
Qed.

(* I5, without biases.  A layer with m = 2 n rows and b = 0 is injective iff, up to the order of its rows, W = [B; -D B] with
   B invertible and D diagonal with positive entries. *)
Theorem layer_injective_iff_opposite_blocks (R : realFieldType) n (W : 'M[R]_(n + n, n)) :
  injective (relu_layer W 0) <->
  exists s : 'S_(n + n), exists B : 'M[R]_n, exists d : 'rV[R]_n,
    [/\ B \in unitmx, forall i, 0 < d 0 i & row_perm s W = col_mx B (- (diag_mx d *m B))].
Proof.
split=> [|[s [B [d [Bu d0 e]]]]]; first exact: opposite_blocks_of_injective.
apply/(injective_row_perm W 0 s); have -> : row_perm s 0 = col_mx 0 0 :> 'cV[R]_(n + n).
  by rewrite col_mx0; apply/colP => i; rewrite !mxE.
by rewrite e; apply/opposite_blocks_injective_iff => // i; rewrite !mxE mulr0.
Qed.

(* I5, both together.  A layer with m = 2 n rows and any biases is injective iff, up to the order of its rows, W = [B; -D B]
   with B invertible and D diagonal with positive entries, and b = [b1; b2] with b2_i >= - d_i b1_i for all i. *)
Theorem layer_with_biases_injective_iff_opposite_blocks (R : realFieldType) n (W : 'M[R]_(n + n, n)) (b : 'cV[R]_(n + n)) :
  injective (relu_layer W b) <->
  exists s : 'S_(n + n), exists B : 'M[R]_n, exists d : 'rV[R]_n,
    [/\ B \in unitmx, forall i, 0 < d 0 i, row_perm s W = col_mx B (- (diag_mx d *m B))
      & forall i, - d 0 i * b (s (lshift n i)) 0 <= b (s (rshift n i)) 0].
Proof.
have bE s : row_perm s b = col_mx (usubmx (row_perm s b)) (dsubmx (row_perm s b)) by rewrite vsubmxK.
split=> [inj|[s [B [d [Bu d0 e hb]]]]].
  have [s [B [d [Bu d0 e]]]] := opposite_blocks_of_injective (injective_without_biases inj).
  exists s, B, d; split=> // i; move/(injective_row_perm W b s): inj.
  by rewrite e bE => /(opposite_blocks_injective_iff _ _ Bu d0) /(_ i); rewrite !mxE.
apply/(injective_row_perm W b s); rewrite e bE; apply/opposite_blocks_injective_iff => // i.
by rewrite !mxE.
Qed.
