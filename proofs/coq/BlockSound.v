(* The block of a rank (C7): the rows and columns that the evidence chooses.  If its square part is regular, by an approximate
   inverse or modulo q, a vector that is zero outside its columns and on which its rows vanish is zero; so its rank is its size. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import EntryVectors InverseSound ModularSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section BlockSound.
Variables (R : realFieldType) (propose : oracle).
Local Notation entries_matrix := (entries_matrix R).
Local Notation selection := (selection R).

(* ---------- the block ---------- *)

Definition covered (p : place) : bool := is_inside p || is_beside p.
(* the columns of the block *)
Definition columns_of b : seq nat := mask [seq covered p | p <- block_places b] (iota 0 (size (block_places b))).

(* the units are the columns Beside; the columns chosen are those Inside or Beside *)
Lemma places_onto_shape j cs units out places : places_onto j cs units out = Some places ->
  exists ps, [/\ places = rev out ++ ps, [seq covered p | p <- ps] = cs & mask [seq is_beside p | p <- ps] (iota j (size cs)) = units].
Proof.
have Hin c : covered (if c then Inside else Outside) = c by case: c.
have Hbe c : is_beside (if c then Inside else Outside) = false by case: c.
elim: cs j units out => [|c cs IH] j units out /=.
  by case: units => // -[<-]; exists [::]; rewrite rev_append_cat.
case: units => [|u units].
  by move/IH=> [ps [-> <- hu]]; exists ((if c then Inside else Outside) :: ps); rewrite rev_cons cat_rcons /= Hin Hbe size_map in hu *.
case: Nat.eqb_spec => [->|hu].
  by case: c => // /IH [ps [-> <- <-]]; exists (Beside :: ps); rewrite rev_cons cat_rcons /= size_map.
by move/IH=> [ps [-> <- <-]]; exists ((if c then Inside else Outside) :: ps); rewrite rev_cons cat_rcons /= Hin Hbe size_map.
Qed.

(* What block_of has checked of the block, and where the block comes from. *)
Record block_shape n (b : block) : Prop := BlockShape {
  places_size : size (block_places b) = n;
  entries_size : size (block_entries b) = block_size b;
  covered_size : count covered (block_places b) = block_size b;
  units_beside : mask [seq is_beside p | p <- block_places b] (iota 0 n) = side_columns (block_entries b);
  normals_size : forall a, List.In a (general_normals (block_entries b)) -> size a = n }.
Lemma block_of_sound n es r b : block_of n es r = Some b -> block_shape n b /\
  exists rows cs, [/\ fit (size es) (chosen_rows r) = Some rows, fit n (chosen_columns r) = Some cs,
    block_entries b = mask rows es, [seq covered p | p <- block_places b] = cs & block_size b = rank_value r].
Proof.
rewrite /block_of !size_ofE; case hr: fit => [rows|] //; case hc: fit => [cs|] //; rewrite pickE.
case hp: places_onto => [places|] //.
case: andP => // -[] /andP[] /andP[] /Nat.eqb_spec h1 /Nat.eqb_spec h2 _; rewrite forallbE => /all_In h3 [<-] /=.
have [ps [-> hcov hbe]] := places_onto_shape hp; rewrite /= in hcov hbe *.
split; last by exists rows, cs.
rewrite !numberE in h1 h2; split=> //=.
- by rewrite -(fit_size hc) -hcov size_map.
- by rewrite size_mask // (fit_size hr).
- by rewrite -h2 -hcov count_map.
- by rewrite -hbe (fit_size hc).
by move=> a /h3; rewrite size_ofE => /Nat.eqb_spec.
Qed.

Lemma columns_of_size n b : block_shape n b -> size (columns_of b) = block_size b.
Proof. by move=> h; rewrite /columns_of size_mask ?size_map ?size_iota // count_map -(covered_size h). Qed.
Lemma columns_of_uniq b : uniq (columns_of b).
Proof. exact/mask_uniq/iota_uniq. Qed.
Lemma mem_columns_of b j : (j \in columns_of b) = covered (nth Outside (block_places b) j).
Proof.
rewrite /columns_of -(size_map covered) mem_mask_iota; have [hj|hj] := ltnP j (size (block_places b)).
  by rewrite (nth_map Outside).
by rewrite !nth_default ?size_map.
Qed.
Lemma columns_of_lt n b j : block_shape n b -> j \in columns_of b -> (j < n)%N.
Proof. by move=> h /mem_mask; rewrite mem_iota (places_size h). Qed.

(* a vector that is zero outside the block's columns *)
Lemma supported_coordinates n b (x : 'cV[R]_n) : block_shape n b ->
  (forall j : 'I_n, (j : nat) \notin columns_of b -> x j 0 = 0) -> supported (block_places b) (coordinates x).
Proof.
move=> h hx; split=> [|j h1 h2]; first by rewrite size_coordinates (places_size h).
have [hj|hj] := ltnP j n; last by rewrite nth_default ?size_coordinates.
by rewrite -[j]/(val (Ordinal hj)) nth_coordinates hx // mem_columns_of /covered negb_or h1.
Qed.
(* its unknowns beside are those of the block's sides *)
Lemma beside_coordinates n b (x : 'cV[R]_n) : block_shape n b ->
  beside (block_places b) (coordinates x) = [seq nth 0 (coordinates x) j | j <- side_columns (block_entries b)].
Proof.
move=> h; rewrite -(units_beside h) map_mask; congr mask.
by rewrite -{1}(mkseq_nth 0 (coordinates x)) size_coordinates.
Qed.

Lemma sum_zip_zero qs rows (x : seq R) : (forall a, List.In a rows -> dotR a x = 0) ->
  \sum_(qa <- zip qs rows) embed qa.1 * `|dotR qa.2 x| = 0.
Proof.
elim: rows qs => [|a rows IH] [|q qs] h; rewrite ?big_nil //= big_cons IH => [|c hc]; last by apply: h; right.
by rewrite h ?normr0 ?mulr0 ?addr0 //; left.
Qed.

(* A regular block determines the vectors that are zero outside its columns. *)
Lemma is_regular_sound n b q (x : 'cV[R]_n) : block_shape n b -> (forall e, List.In e (block_entries b) -> entry_ok n e) ->
  is_regular propose q b -> (forall j : 'I_n, (j : nat) \notin columns_of b -> x j 0 = 0) ->
  (forall e, List.In e (block_entries b) -> entry_at_vector e x = 0) -> x = 0.
Proof.
move=> hb hok hreg hx h0; apply: coordinates_eq0; have [hs hsup] := supported_coordinates hb hx.
set inside := [seq is_inside p | p <- block_places b].
have size_inside : size inside = size (coordinates x) by rewrite size_map hs.
have hside j : List.In j (side_columns (block_entries b)) -> nth 0 (coordinates x) j = 0.
  case/In_side_columns=> s hj; move: (h0 _ hj) => /eqP; rewrite entry_at_vectorE mulf_eq0 => /orP[|/eqP //].
  by case: (hok _ hj) => _ [] ->; rewrite embed_eq0.
have outside_inside j : ~~ nth false inside j -> nth 0 (coordinates x) j = 0.
  have [hj|hj] := ltnP j (size (block_places b)); last by move=> _; rewrite nth_default ?hs.
  rewrite /inside (nth_map Outside) // => h1; case hbe: (is_beside (nth Outside (block_places b) j)); last by apply: hsup; rewrite ?hbe.
  apply: hside; rewrite -(units_beside hb); apply/InP; rewrite -{1}(places_size hb) -(size_map is_beside) mem_mask_iota.
  by rewrite (nth_map Outside).
have hgen a : List.In a (general_normals (block_entries b)) -> dotR a (coordinates x) = 0.
  by case/In_general_normals => r hr ->; move: (h0 _ hr); rewrite entry_at_vectorE.
have near attempt : bound_inverse propose attempt [seq (if c then Inside else Outside) | c <- inside]
    (general_normals (block_entries b)) (zeros (count id inside)) [::] -> forall j, nth 0 (coordinates x) j = 0.
  case hbi: bound_inverse => [bd|] // _ j; have [hgap _ _ _ _] := bound_inverse_shape hbi.
  have hpl k : nth Outside [seq (if c then Inside else Outside) | c <- inside] k = if nth false inside k then Inside else Outside.
    have [hk|hk] := ltnP k (size inside); first by rewrite (nth_map false).
    by rewrite !nth_default ?(size_map _ inside).
  have hsup' : supported [seq (if c then Inside else Outside) | c <- inside] (coordinates x).
    split=> [|k]; first by rewrite size_map size_inside.
    by rewrite hpl; case hk: (nth false inside k) => //= _ _; apply: outside_inside; rewrite hk.
  have := bound_inverse_sound hbi hsup' j.
  have -> : beside [seq (if c then Inside else Outside) | c <- inside] (coordinates x) = [::].
    rewrite /beside -map_comp (eq_map (f2 := fun=> false)); last by case.
    by elim: (inside) (coordinates x) => [|c l IH] [|v y] //=.
  rewrite [X in _ + X](_ : _ = 0) ?addr0; last by case: (side_bounds bd) => [|? ?]; rewrite big_nil.
  rewrite sum_zip_zero // pmulr_rle0 ?embed_gt0 // normr_le0 => /eqP //.
have modular q' : invertible_modulo propose q' (count id inside)
    [seq mask inside (odd_row a) | a <- general_normals (block_entries b)] -> forall j, nth 0 (coordinates x) j = 0.
  move=> hmod; have [_ _ hinv] := invertible_modulo_sound R hmod; apply: (zero_of_mask (marks := inside)) => //.
  move=> j; apply: hinv; first by rewrite size_mask.
  move=> a ha; have [c hc ->] := In_map ha.
  by rewrite dotR_mask ?size_odd_row ?(normals_size hb hc) ?size_inside ?size_coordinates // odd_row_sound // hgen.
move: hreg; rewrite /is_regular; cbv zeta; rewrite !tmapE -/inside numberE.
have -> : [seq pick inside (odd_row a) | a <- general_normals (block_entries b)] =
    [seq mask inside (odd_row a) | a <- general_normals (block_entries b)] by apply: eq_map => a; apply: pickE.
case: ifP => _; last by move/modular.
case/orP => [/orP[/(near 0%N)|/modular]|] //.
by rewrite existsbE => /hasP[i _ /near].
Qed.

(* From below: the block has independent rows among those of the list, and its matrix is regular. *)
Lemma block_rank n es r b q : (forall e, List.In e es -> entry_ok n e) -> block_of n es r = Some b -> is_regular propose q b ->
  [/\ \rank (entries_matrix n (block_entries b) *m (selection n (columns_of b))^T) = block_size b,
      (block_size b <= \rank (entries_matrix n (block_entries b)))%N
    & (entries_matrix n (block_entries b) <= entries_matrix n es)%MS].
Proof.
move=> hok hblock hreg; have [hb [rows [cs [_ _ hrows _ _]]]] := block_of_sound hblock.
have hin e : List.In e (block_entries b) -> List.In e es by rewrite hrows; apply: In_mask.
have hfull : \rank (entries_matrix n (block_entries b) *m (selection n (columns_of b))^T) = block_size b.
  rewrite block_row_full ?columns_of_uniq ?(columns_of_size hb) // => [j|x hx h0]; first exact: columns_of_lt.
  by apply: is_regular_sound hb _ hreg hx h0 => e /hin /hok.
split=> //; first by rewrite -hfull mxrankM_maxl.
by apply: list_in_span => e /hin; apply: entry_in_span.
Qed.
End BlockSound.
