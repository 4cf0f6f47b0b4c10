(* The rows and sides of a list (the type `entry` of the checker) as vectors over R: their products, their span, and the plain
   linear algebra of ranks that the rank section (C7) needs.  A list that determines all vectors supported on some columns has
   a matrix of full rank in these columns; the columns that are met and the vectors of the kernel bound a rank from above. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Claims Systems Checker.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- the rows and sides of a list ---------- *)

Lemma general_normals_cons e es :
  general_normals (e :: es) = match e with General r => normal r :: general_normals es | Side _ _ => general_normals es end.
Proof.
have H ns l : List.rev_append (List.fold_left (fun ns e => match e with General r => normal r :: ns | Side _ _ => ns end) l ns) [::] =
    rev ns ++ general_normals l.
  rewrite /general_normals; elim: l ns => [|a l IH] ns /=; first by rewrite rev_append_cat.
  by case: a => [r|j s]; rewrite IH // (IH [:: _]) rev_cons cat_rcons.
by case: e => [r|j s]; rewrite {1}/general_normals /= H.
Qed.
Lemma side_columns_cons e es :
  side_columns (e :: es) = match e with General _ => side_columns es | Side j _ => j :: side_columns es end.
Proof.
have H js l : List.rev_append (List.fold_left (fun js e => match e with General _ => js | Side j _ => j :: js end) l js) [::] =
    rev js ++ side_columns l.
  rewrite /side_columns; elim: l js => [|a l IH] js /=; first by rewrite rev_append_cat.
  by case: a => [r|j s]; rewrite IH // (IH [:: _]) rev_cons cat_rcons.
by case: e => [r|j s]; rewrite {1}/side_columns /= H.
Qed.
Lemma In_general_normals a es : List.In a (general_normals es) -> exists2 r, List.In (General r) es & a = normal r.
Proof.
elim: es => [|e es IH] //; rewrite general_normals_cons; case: e => [r|j s] /=.
  by case=> [<-|/IH[r' h ->]]; [exists r; auto | exists r'; auto].
by case/IH=> r' h ->; exists r'; auto.
Qed.
Lemma In_side_columns j es : List.In j (side_columns es) -> exists s, List.In (Side j s) es.
Proof.
elim: es => [|e es IH] //; rewrite side_columns_cons; case: e => [r|k s] /=.
  by case/IH=> s' h; exists s'; auto.
by case=> [<-|/IH[s' h]]; [exists s; auto | exists s'; auto].
Qed.

(* the sides of a system, without an accumulator *)
Fixpoint side_list (j : nat) (lower upper : seq bool) : seq entry :=
  if lower is l :: lower' then if upper is u :: upper' then
    nseq l (Side j (Zneg xH)) ++ nseq u (Side j (Zpos xH)) ++ side_list j.+1 lower' upper' else [::] else [::].
Lemma sides_ontoE j lower upper out : sides_onto j lower upper out = rev out ++ side_list j lower upper.
Proof.
elim: lower upper j out => [|l lower IH] [|u upper] j out /=; rewrite ?rev_append_cat //.
by rewrite IH; case: l; case: u; rewrite ?rev_cons ?cat_rcons.
Qed.
Lemma sidesE s : sides s = side_list 0 (lower_sides s) (upper_sides s).
Proof. by rewrite /sides sides_ontoE. Qed.
(* a column's lower side stands before its upper side *)
Lemma In_side_list e j lower upper : size lower = size upper -> List.In e (side_list j lower upper) <->
  exists k, nth false lower k /\ e = Side (j + k) (Zneg xH) \/ nth false upper k /\ e = Side (j + k) (Zpos xH).
Proof.
have In_nseq (c : bool) (t : entry) : List.In e (nseq c t) <-> c /\ e = t.
  by case: c => /=; split=> [h|[h1 h2]] //; [case: h | left].
elim: lower upper j => [|a lower IH] [|b upper] j //= => [_|[hs]].
  by split=> // -[k]; rewrite !nth_nil => -[[]|[]].
rewrite !In_cat !In_nseq IH //; split=> [[h|[h|[k h]]]|[[|k]]].
- by exists 0%N; rewrite addn0; left.
- by exists 0%N; rewrite addn0; right.
- by exists k.+1; rewrite -addSnnS.
- by rewrite addn0 => -[|] h; auto.
- by rewrite -addSnnS => h; right; right; exists k.
Qed.
Lemma In_sides s e : size (lower_sides s) = size (upper_sides s) -> List.In e (sides s) <->
  exists k, nth false (lower_sides s) k /\ e = Side k (Zneg xH) \/ nth false (upper_sides s) k /\ e = Side k (Zpos xH).
Proof. by rewrite sidesE => /(In_side_list e 0). Qed.

Section EntryVectors.
Variable R : realFieldType.

(* a row of a list as a vector: the normal of a general row, or sign * e_column *)
Definition entry_vector n (e : entry) : 'rV[R]_n :=
  match e with
  | General r => \row_j embed (nth Z0 (normal r) j)
  | Side j sign => \row_k (embed sign * ((k : nat) == j)%:R)
  end.
Definition entries_matrix n (es : seq entry) : 'M[R]_(size es, n) := \matrix_(i, j) entry_vector n (nth (Side 0 Z0) es i) 0 j.
Definition entry_ok n (e : entry) : Prop :=
  match e with General r => size (normal r) = n | Side j sign => (j < n)%N /\ (sign = Zpos xH \/ sign = Zneg xH) end.
(* e . x, for a column vector *)
Definition entry_at_vector n (e : entry) (x : 'cV[R]_n) : R := (entry_vector n e *m x) 0 0.

(* e . x, for a list *)
Definition entry_of_list (e : entry) (x : seq R) : R :=
  match e with General r => dotR (normal r) x | Side j sign => embed sign * nth 0 x j end.

(* ---------- columns and the lists of their coordinates ---------- *)

Lemma size_coordinates n (x : 'cV[R]_n) : size (coordinates x) = n.
Proof. by rewrite size_map size_enum_ord. Qed.
Lemma nth_coordinates n (x : 'cV[R]_n) (j : 'I_n) : nth 0 (coordinates x) j = x j 0.
Proof. by rewrite (nth_map j) ?size_enum_ord // nth_ord_enum. Qed.
Lemma coordinates_eq0 n (x : 'cV[R]_n) : (forall j, nth 0 (coordinates x) j = 0) -> x = 0.
Proof. by move=> h; apply/colP => i; rewrite mxE -nth_coordinates. Qed.

(* the column with given coordinates, and the one whose coordinates are integers *)
Definition vector_of n (s : seq R) : 'cV[R]_n := \col_j nth 0 s j.
Definition integer_vector n (d : seq Z) : 'cV[R]_n := vector_of n [seq embed v | v <- d].
Lemma coordinates_vector_of n s : size s = n -> coordinates (vector_of n s) = s.
Proof.
move=> hs; apply: (@eq_from_nth _ 0) => [|j]; rewrite size_coordinates // => hj.
by rewrite (nth_coordinates _ (Ordinal hj)) mxE.
Qed.
Lemma vector_of_eq0 n s : size s = n -> vector_of n s = 0 -> forall j, nth 0 s j = 0.
Proof.
move=> hs h j; rewrite -(coordinates_vector_of hs) h; have [hj|hj] := ltnP j n.
  by rewrite (nth_coordinates _ (Ordinal hj)) mxE.
by rewrite nth_default // size_coordinates.
Qed.

(* ---------- the product of a row with a vector ---------- *)

Lemma entry_at_vectorE n e (x : 'cV[R]_n) : entry_at_vector e x = entry_of_list e (coordinates x).
Proof.
rewrite /entry_at_vector mxE; case: e => [r|j sign] /=.
  by rewrite (dotR_sum _ (size_coordinates x)); apply: eq_bigr => k _; rewrite !mxE nth_coordinates.
have [hj|hj] := ltnP j n; last first.
  rewrite [nth _ _ _]nth_default ?size_coordinates // mulr0 big1 // => k _.
  by rewrite mxE (_ : (k : nat) == j = false) ?mulr0 ?mul0r // ltn_eqF // (leq_trans (ltn_ord k)).
rewrite (bigD1 (Ordinal hj)) //= mxE eqxx mulr1 -(nth_coordinates x (Ordinal hj)) big1 ?addr0 // => k hk.
by rewrite mxE (_ : (k : nat) == j = false) ?mulr0 ?mul0r //; apply/negbTE; apply: contraNN hk => /eqP hk; apply/eqP/val_inj.
Qed.
Lemma entry_at_vector_of n e s : size s = n -> entry_at_vector e (vector_of n s) = entry_of_list e s.
Proof. by move=> hs; rewrite entry_at_vectorE coordinates_vector_of. Qed.

Lemma entry_at_vectorD n e (x y : 'cV[R]_n) : entry_at_vector e (x + y) = entry_at_vector e x + entry_at_vector e y.
Proof. by rewrite /entry_at_vector mulmxDr mxE. Qed.
Lemma entry_at_vector0 n e : entry_at_vector e (0 : 'cV[R]_n) = 0.
Proof. by rewrite /entry_at_vector mulmx0 mxE. Qed.

Lemma entry_atE d j : entry_at d j = nth Z0 d j.
Proof. by elim: d j => [|u d IH] [|j] /=. Qed.
Lemma entry_dotE n d e : size d = n -> embed (entry_dot d e) = entry_at_vector e (integer_vector n d).
Proof.
move=> hd; rewrite entry_at_vector_of ?size_map //; case: e => [r|j s] /=; first exact: embed_dot.
by rewrite embedM entry_atE nth_embed.
Qed.

(* ---------- the span of a list ---------- *)

Lemma entries_matrix_mul n es (x : 'cV[R]_n) i : (entries_matrix n es *m x) i 0 = entry_at_vector (nth (Side 0 Z0) es i) x.
Proof. by rewrite /entry_at_vector !mxE; apply: eq_bigr => j _; rewrite mxE. Qed.
(* M x = 0 says that every entry of the list vanishes at x. *)
Lemma entries_matrix_zero n es (x : 'cV[R]_n) : entries_matrix n es *m x = 0 <-> forall e, List.In e es -> entry_at_vector e x = 0.
Proof.
split=> [h e /(In_nth (Side 0 Z0))[i hi <-]|h]; first by rewrite -(entries_matrix_mul x (Ordinal hi)) h mxE.
by apply/colP => i; rewrite entries_matrix_mul mxE; apply: h; apply: nth_In.
Qed.
(* Entries of full rank vanish at 0 alone. *)
Lemma full_rank_zero n es (x : 'cV[R]_n) : \rank (entries_matrix n es) = n ->
  (forall e, List.In e es -> entry_at_vector e x = 0) -> x = 0.
Proof.
move=> hr /entries_matrix_zero h; have /row_fullP[B hB] : row_full (entries_matrix n es) by rewrite /row_full hr.
by rewrite -[x]mul1mx -hB -mulmxA h mulmx0.
Qed.

(* A vector lies in the span of a list if it vanishes wherever the list does. *)
Lemma in_span n fs (v : 'rV[R]_n) :
  (forall x, (forall f, List.In f fs -> entry_at_vector f x = 0) -> (v *m x) 0 0 = 0) -> (v <= entries_matrix n fs)%MS.
Proof.
move=> h; rewrite submxE; apply/eqP/matrixP => i j; rewrite ord1 [RHS]mxE.
set C := cokermx _.
transitivity ((v *m col j C) 0 0); first by rewrite !mxE; apply: eq_bigr => k _; rewrite [in RHS]mxE.
apply: h; apply/entries_matrix_zero/matrixP => k l; rewrite [RHS]mxE.
transitivity ((entries_matrix n fs *m C) k j); last by rewrite mulmx_coker mxE.
by rewrite [LHS]mxE [RHS]mxE; apply: eq_bigr => r _; rewrite [col j C _ _]mxE.
Qed.
Lemma entry_in_span n e fs : List.In e fs -> (entry_vector n e <= entries_matrix n fs)%MS.
Proof. by move=> he; apply: in_span => x; apply. Qed.
Lemma list_in_span n es fs : (forall e, List.In e es -> (entry_vector n e <= entries_matrix n fs)%MS) ->
  (entries_matrix n es <= entries_matrix n fs)%MS.
Proof.
move=> h; apply/row_subP => i.
rewrite (_ : matrix.row i _ = entry_vector n (nth (Side 0 Z0) es i)); first by apply: h; apply: nth_In.
by apply/rowP => j; rewrite !mxE.
Qed.

(* ---------- a rank from below: a list that determines the vectors supported on some columns ---------- *)

(* the unit rows of some columns *)
Definition selection n (cs : seq nat) : 'M[R]_(size cs, n) := \matrix_(i, j) ((nth 0%N cs i == j)%:R).
Lemma selection_supported n cs (u : 'cV[R]_(size cs)) (j : 'I_n) : (j : nat) \notin cs -> ((selection n cs)^T *m u) j 0 = 0.
Proof.
move=> hj; rewrite mxE big1 // => i _; rewrite !mxE (_ : _ == _ = false) ?mul0r //.
by apply: contraNF hj => /eqP <-; apply: mem_nth.
Qed.
Lemma selectionK n cs : uniq cs -> (forall j, j \in cs -> (j < n)%N) -> selection n cs *m (selection n cs)^T = 1%:M.
Proof.
move=> hu hn; apply/matrixP => i k; have hi : (nth 0%N cs i < n)%N by apply/hn/mem_nth.
rewrite !mxE (bigD1 (Ordinal hi)) //= !mxE eqxx mul1r big1 ?addr0 => [|j hj].
  by rewrite eq_sym nth_uniq // -val_eqE.
rewrite !mxE (_ : _ == _ = false) ?mul0r //; apply: contraNF hj => /eqP h; exact/eqP/val_inj.
Qed.

(* the block: its columns and its rows *)
Lemma block_row_full n cs fs : uniq cs -> (forall j, j \in cs -> (j < n)%N) ->
  (forall x : 'cV[R]_n, (forall j : 'I_n, (j : nat) \notin cs -> x j 0 = 0) ->
     (forall f, List.In f fs -> entry_at_vector f x = 0) -> x = 0) ->
  \rank (entries_matrix n fs *m (selection n cs)^T) = size cs.
Proof.
move=> hu hn h; rewrite -mxrank_tr; apply/eqP; apply: inj_row_free => u hu0.
suff h0 : (selection n cs)^T *m u^T = 0.
  by apply: trmx_inj; rewrite trmx0 -[LHS]mul1mx -(selectionK hu hn) -mulmxA h0 mulmx0.
apply: h => [j hj|]; first exact: selection_supported.
by apply/entries_matrix_zero/trmx_inj; rewrite mulmxA trmx_mul trmxK hu0 trmx0.
Qed.

(* ---------- a rank from above ---------- *)

(* at most the number of columns that are met *)
Lemma rank_le_columns n m (M : 'M[R]_(m, n)) cs : uniq cs ->
  (forall i (j : 'I_n), (j : nat) \notin cs -> M i j = 0) -> (\rank M <= size cs)%N.
Proof.
move=> hu h; have -> : M = M *m (selection n cs)^T *m selection n cs; last first.
  by apply: leq_trans (mxrankM_maxr _ _) _; apply: rank_leq_row.
apply/matrixP => i j; rewrite -mulmxA mxE (bigD1 j) //= big1 => [|k hk]; last first.
  rewrite mxE big1 ?mulr0 // => l _; rewrite !mxE.
  case: (_ =P (k : nat)) => [->|_]; last by rewrite mul0r.
  by rewrite mul1r (_ : _ == _ = false) //; apply/negbTE; rewrite val_eqE.
rewrite addr0 mxE; have [hj|hj] := boolP ((j : nat) \in cs); last by rewrite h // mul0r.
have hi : (index (j : nat) cs < size cs)%N by rewrite index_mem.
rewrite (bigD1 (Ordinal hi)) //= !mxE nth_index // eqxx mulr1 big1 ?addr0 ?mulr1 // => l hl.
rewrite !mxE (_ : _ == _ = false) ?mulr0 //; apply: contraNF hl => /eqP hl.
by apply/eqP/val_inj; rewrite /= -hl index_uniq.
Qed.
(* at most n minus the number of independent vectors in the kernel *)
Lemma rank_le_kernel n m k (M : 'M[R]_(m, n)) (K : 'M[R]_(k, n)) : row_free K -> M *m K^T = 0 -> (\rank M + k <= n)%N.
Proof. by move=> hK /mulmx0_rank_max; rewrite mxrank_tr (eqP hK). Qed.
End EntryVectors.
