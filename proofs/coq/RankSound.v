(* The rank section (C7): what check_rank proves.  The block of the chosen rows and columns has the rank that is claimed, and
   the bound from above (non-zero rows, non-zero columns, relations, or null vectors) shows that the whole list has no more. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import EntryVectors BlockSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section RankSound.
Variables (R : realFieldType) (propose : oracle).
Local Notation entry_vector := (entry_vector R).
Local Notation entries_matrix := (entries_matrix R).
Local Notation integer_vector := (integer_vector R).

(* ---------- counting rows and columns ---------- *)

Lemma entry_is_zeroE n e (x : 'cV[R]_n) : entry_is_zero e -> entry_at_vector e x = 0.
Proof. by case: e => [r|j s] //=; rewrite is_zeroE entry_at_vectorE => h; apply: dotR_zero. Qed.

(* If all entries of es vanish wherever those of fs do, the rank of es is at most the length of fs. *)
Lemma rank_le_list n es fs : (forall e, List.In e es -> forall x : 'cV[R]_n,
    (forall f, List.In f fs -> entry_at_vector f x = 0) -> entry_at_vector e x = 0) ->
  (\rank (entries_matrix n es) <= size fs)%N.
Proof.
move=> h; apply: leq_trans (rank_leq_row (entries_matrix n fs)); apply/mxrankS/list_in_span => e he.
by apply: in_span => x hx; apply: h.
Qed.

Lemma rank_le_rows n es : (\rank (entries_matrix n es) <= number (tmap (fun e => negb (entry_is_zero e)) es))%N.
Proof.
rewrite numberE tmapE count_map -(@eq_count _ (fun e => negb (entry_is_zero e))) // -size_filter.
apply: rank_le_list => e he x h; case hz: (entry_is_zero e); first exact: entry_is_zeroE.
apply: h; elim: es he => [|a es IH] //= [->|/IH h]; first by rewrite hz; left.
by case: ifP; [right | ].
Qed.

Lemma unit_atE n j c k : nth Z0 (unit_at n j c) k = if k == j then c else Z0.
Proof.
rewrite /unit_at repeat_ontoE zerosE nth_cat size_nseq nth_nseq.
case: ltngtP => h; rewrite ?if_same // ?h ?subnn //.
by rewrite -(subnKC h) addSnnS addKn /= nth_nseq if_same.
Qed.
Lemma size_unit_at n j c : (j < n)%N -> size (unit_at n j c) = n.
Proof. by move=> h; rewrite /unit_at repeat_ontoE zerosE size_cat /= !size_nseq addnS -addSn subnKC. Qed.
Lemma dotR_unit_at n j (x : seq R) : dotR (unit_at n j (Zpos xH)) x = nth 0 x j.
Proof.
rewrite (dotR_sum _ erefl); have [hj|hj] := ltnP j (size x); last first.
  by rewrite nth_default // big1 // => k _; rewrite unit_atE ltn_eqF ?mul0r // (leq_trans (ltn_ord k)).
rewrite (bigD1 (Ordinal hj)) //= unit_atE eqxx mul1r big1 ?addr0 // => k hk.
by rewrite unit_atE (_ : (k : nat) == j = false) ?mul0r //; apply: contraNF hk => /eqP hk; apply/eqP/val_inj.
Qed.

(* the integers of a row *)
Definition numbers_of n (e : entry) : seq Z := match e with General r => normal r | Side j _ => unit_at n j (Zpos xH) end.
Lemma entry_vector_eq0 n e (j : 'I_n) : nth Z0 (numbers_of n e) j = Z0 -> entry_vector n e 0 j = 0.
Proof. by case: e => [r|k s] /= h; rewrite mxE; [rewrite h | move: h; rewrite unit_atE; case: eqP => // _ _; rewrite mulr0]. Qed.

(* Where no row of the list has an entry, the column is not met. *)
Lemma columns_met_sound n es : (forall e, List.In e es -> entry_ok n e) ->
  size (columns_met n es) = n /\ forall e k, List.In e es -> ~~ nth false (columns_met n es) k -> nth Z0 (numbers_of n e) k = Z0.
Proof.
pose meet (met : seq bool) e := [seq ba.1 || ~~ Z.eqb ba.2 0 | ba <- zip met (numbers_of n e)].
move=> hok; have -> : columns_met n es = foldl meet (nseq n false) es.
  rewrite /columns_met repeat_ontoE cats0 fold_leftE; elim: es {hok} (nseq n false) => //= e es IH met.
  by rewrite IH; case: e => [r|j s]; rewrite tmap2E.
have hsize e : List.In e es -> size (numbers_of n e) = n.
  by move/hok; case: e => [r|j s] //= [hj _]; apply: size_unit_at.
have meet_nth met e k : size met = n -> size (numbers_of n e) = n ->
    ~~ nth false (meet met e) k -> ~~ nth false met k /\ nth Z0 (numbers_of n e) k = Z0.
  move=> h1 h2; have [hk|hk] := ltnP k n; last by move=> _; rewrite !nth_default ?h1 ?h2.
  rewrite /meet (nth_map (false, Z0)) ?size_zip ?h1 ?h2 ?minnn // nth_zip ?h1 //= negb_or negbK => /andP[-> /Z.eqb_spec] //.
suff H (met : seq bool) : size met = n -> size (foldl meet met es) = n /\ forall k, ~~ nth false (foldl meet met es) k ->
    ~~ nth false met k /\ forall e, List.In e es -> nth Z0 (numbers_of n e) k = Z0.
  by case: (H (nseq n false)) => [|h1 h2]; rewrite ?size_nseq //; split=> // e k he /h2[_]; apply.
elim: es met {hok} hsize => [|a es IH] met hsize hmet //=.
have ha : size (numbers_of n a) = n by apply: hsize; left.
have hm : size (meet met a) = n by rewrite size_map size_zip hmet ha minnn.
case: (IH _ (fun e he => hsize e (or_intror he)) hm) => h1 h2; split=> // k /h2[h3 h4].
by have [h5 h6] := meet_nth _ _ _ hmet ha h3; split=> // e [<-|/h4].
Qed.
Lemma rank_le_columns_met n es : (forall e, List.In e es -> entry_ok n e) ->
  (\rank (entries_matrix n es) <= number (columns_met n es))%N.
Proof.
move=> /columns_met_sound[hs h]; rewrite numberE -(size_mask (s := iota 0 n)) ?size_iota //.
apply: rank_le_columns => [|i j hj]; first exact/mask_uniq/iota_uniq.
rewrite mxE; apply/entry_vector_eq0/h; first exact: nth_In.
by move: hj; rewrite -mem_mask_iota hs.
Qed.

(* ---------- null vectors ---------- *)

(* The null vectors that are accepted: each is orthogonal to the whole list, and has on the columns outside the block one entry that
   is not 0, at its own place. *)
Lemma null_vectors_ok_sound n es outside k total vs : null_vectors_ok n es outside k total vs ->
  (k + size vs = total)%N /\ forall i, (i < size vs)%N -> let v := nth [::] vs i in
    [/\ size v = n, forall l, l <> (k + i)%N -> nth Z0 (mask outside v) l = Z0, nth Z0 (mask outside v) (k + i) <> Z0
      & forall e, List.In e es -> entry_dot v e = Z0].
Proof.
elim: vs k => [|v vs IH] k /=; first by move/Nat.eqb_spec <-; rewrite addn0.
rewrite size_ofE pickE split_atE !is_zeroE forallbE.
move=> /andP[/andP[/andP[/andP[/Nat.eqb_spec hs hbefore] hfrom] hker] /IH[<- hvs]]; rewrite addSnnS; split=> // -[|i] hi /=; last first.
  by have := hvs i hi; rewrite addSnnS.
rewrite addn0; case hd: (drop k (mask outside v)) hfrom => [|own after] //; rewrite is_zeroE => /andP[hown hafter].
have hnth l : nth Z0 (mask outside v) (k + l) = nth Z0 (own :: after) l by rewrite -hd nth_drop.
split=> //; last by move=> e he; apply/Z.eqb_spec; move: e he; apply/all_In.
- move=> l hl; have [hlk|hlk] := ltnP l k; first by rewrite -(nth_take _ hlk) all_zero_nth.
  rewrite -(subnKC hlk) hnth; case hl': (l - k)%N => [|l'] /=; last exact: all_zero_nth.
  by case: hl; apply/eqP; rewrite eqn_leq hlk andbT -subn_eq0 hl'.
by rewrite -[k]addn0 hnth /=; move/Z.eqb_spec: hown.
Qed.
Lemma rank_le_null_vectors n es outside vs : size outside = n -> null_vectors_ok n es outside 0 (number outside) vs ->
  (\rank (entries_matrix n es) + count id outside <= n)%N.
Proof.
move=> ho /null_vectors_ok_sound[]; rewrite add0n numberE => hcount hvs; rewrite -hcount.
pose K := \matrix_(i < size vs, j < n) embed (nth Z0 (nth [::] vs i) j) : 'M[R]_(size vs, n).
apply: (rank_le_kernel (K := K)); last first.
  apply/matrixP => i k; rewrite [RHS]mxE; have [hs _ _ h] := hvs k (ltn_ord k).
  transitivity (entry_at_vector (nth (Side 0 Z0) es i) (integer_vector n (nth [::] vs k))); last first.
    by rewrite -entry_dotE // h //; apply: nth_In.
  by rewrite -entries_matrix_mul !mxE; apply: eq_bigr => j _; rewrite !mxE nth_embed.
apply: inj_row_free => u hu; apply/rowP => i; rewrite [RHS]mxE.
have hi : (i < count id outside)%N by rewrite -hcount.
have [hsi _ hown _] := hvs i (ltn_ord i).
pose j := nth 0%N (mask outside (iota 0 n)) i.
have hj : (j < n)%N.
  have : j \in mask outside (iota 0 n) by apply: mem_nth; rewrite size_mask ?size_iota.
  by move/mem_mask; rewrite mem_iota.
have hK k : K k (Ordinal hj) = embed (nth Z0 (mask outside (nth [::] vs k)) i).
  have [hsk _ _ _] := hvs k (ltn_ord k).
  by rewrite mxE (nth_mask Z0) ?hsk.
have := congr1 (fun M : 'rV_n => M 0 (Ordinal hj)) hu; rewrite !mxE (bigD1 i) //= big1 => [|k hk]; last first.
  have [_ h0 _ _] := hvs k (ltn_ord k).
  by rewrite hK h0 ?mulr0 // add0n => /ord_inj h; rewrite h eqxx in hk.
rewrite addr0 hK => /eqP; rewrite mulf_eq0 embed_eq0 => /orP[/eqP //|/Z.eqb_spec h].
by case: hown; rewrite add0n.
Qed.

(* ---------- relations ---------- *)

(* the terms that terms_ok collects vanish wherever the rows chosen vanish *)
Lemma terms_ok_sound n (x : 'cV[R]_n) next rows es ts gs ss gs' ss' :
  terms_ok next rows es ts gs ss = Some (gs', ss') -> (forall f, List.In f (mask rows es) -> entry_at_vector f x = 0) ->
  (forall t, List.In t gs -> dotR (normal t.1) (coordinates x) = 0) ->
  (forall t, List.In t ss -> embed t.2 * nth 0 (coordinates x) t.1 = 0) ->
  (forall t, List.In t gs' -> dotR (normal t.1) (coordinates x) = 0) /\
  (forall t, List.In t ss' -> embed t.2 * nth 0 (coordinates x) t.1 = 0).
Proof.
elim: es rows next ts gs ss => [|e es IH] [|b rows] next ts gs ss /=; try by case: ts => // -[<- <-].
case: ts => [|[j c] ts]; first by case=> <- <-.
case: ifP => _; last by move=> h hx; apply: (IH _ _ _ _ _ h) => f hf; apply: hx; case: b {h} => //; right.
case: b => //=; case: ifP => // _; case: e => [r|k s] h hx hgs hss; have := hx _ (or_introl erefl); rewrite entry_at_vectorE /= => h0.
  by apply: (IH _ _ _ _ _ h) => // [f hf|t [<-|/hgs] //]; apply: hx; right.
apply: (IH _ _ _ _ _ h) => // [f hf|t [<-|/hss] //]; first by apply: hx; right.
by rewrite /= embedM -mulrA h0 mulr0.
Qed.

Lemma shiftl_eq0 a k : Z.le 0 k -> (embed (Z.shiftl a k) == 0 :> R) = Z.eqb a 0.
Proof. by move=> hk; rewrite embed_eq0; have := Z.shiftl_eq_0_iff a k hk; lia. Qed.

Lemma dotR_side_terms n one ss acc (x : seq R) : (forall t, List.In t ss -> embed t.2 * nth 0 x t.1 = 0) ->
  dotR (List.fold_left (fun acc t => add_scaled (Z.mul one t.2) (unit_at n t.1 (Zpos xH)) acc) ss acc) x = dotR acc x.
Proof.
elim: ss acc => [|t ss IH] acc h //=; rewrite IH => [|t' ht']; last by apply: h; right.
by rewrite dotR_add_scaled dotR_unit_at embedM -mulrA h ?mulr0 ?addr0 //; left.
Qed.

(* A relation that is accepted: where the chosen rows vanish, this one does. *)
Lemma relation_holds_sound n rows es i e rel : relation_holds n rows es i e rel ->
  forall x : 'cV[R]_n,
  (forall f, List.In f (mask rows es) -> entry_at_vector f x = 0) -> entry_at_vector e x = 0.
Proof.
rewrite /relation_holds => /andP[/andP[_ hfactor]]; case ht: terms_ok => [[gs ss]|] // hsum x hx.
have [||hgs hss] := terms_ok_sound ht hx; [by [] | by [] |].
have normals_zero a : List.In a [seq normal r | r <- [seq t.1 | t <- gs]] -> dotR a (coordinates x) = 0.
  by rewrite -map_comp => ha; have [t /hgs h ->] := In_map ha.
rewrite entry_at_vectorE; case: e hsum => [r|k s] hsum.
  move: hsum; rewrite is_zeroE !tmapE => hsum; move: (dotR_zero (coordinates x) hsum).
  rewrite dotR_side_terms // dotR_combination dotR_zeros add0r /scale_weights tmap2E /=.
  rewrite dots_zero // addr0 => /eqP; rewrite mulf_eq0 shiftl_eq0; last first.
    set l := List.fold_left _ _ _; have := (fold_min binary ([seq t.1 | t <- (r, Z.opp (factor rel)) :: gs]) Z0).2 r (or_introl erefl).
    rewrite /= -/l; lia.
  by case/orP=> [h|/eqP //]; exfalso; move: h hfactor; case: (factor rel) => // p; lia.
move: hsum; rewrite is_zeroE !tmapE => hsum; move: (dotR_zero (coordinates x) hsum).
set one := Z.shiftl _ _.
rewrite /= dotR_side_terms // dotR_add_scaled dotR_combination dotR_zeros add0r dots_zero // add0r dotR_unit_at.
rewrite !embedM -!mulrA => /eqP; rewrite !mulf_eq0 => /orP[|/orP[|]].
- rewrite shiftl_eq0 //; set l := List.fold_left _ _ _; have [hl _] := fold_min binary [seq t.1 | t <- gs] Z0.
  by rewrite -/l in hl; lia.
- by rewrite embed_eq0; lia.
by rewrite -mulf_eq0 => /eqP.
Qed.

(* With relations that are accepted, every row is chosen, zero, or related to the chosen ones. *)
Lemma relations_hold_sound n rows all i marks es rels : size marks = size es -> relations_hold n rows all i marks es rels ->
  forall e, List.In e es -> [\/ List.In e (mask marks es), entry_is_zero e | exists i' rel, relation_holds n rows all i' e rel].
Proof.
elim: es marks i rels => [|e es IH] [|b marks] i rels //= [hs]; case: ifP => [hbe h|hbe].
  move=> f [<-|hf].
    by case/orP: hbe => [->|]; [apply: Or31; left | apply: Or32].
  by case: (IH _ _ _ hs h f hf) => [h1|h1|h1]; [apply: Or31; case: (b); [right|] | apply: Or32 | apply: Or33].
case: rels => // rel rels /andP[h1 h2] f [<-|hf]; first by apply: Or33; exists i, rel.
by case: (IH _ _ _ hs h2 f hf) => [h3|h3|h3]; [apply: Or31; case: (b); [right|] | apply: Or32 | apply: Or33].
Qed.

(* ---------- the rank ---------- *)

(* From above, by any of the four kinds of evidence. *)
Lemma at_most_sound n es r b : (forall e, List.In e es -> entry_ok n e) -> block_of n es r = Some b ->
  at_most n es r -> (\rank (entries_matrix n es) <= rank_value r)%N.
Proof.
move=> hok /block_of_sound[hb [rows [cs [hrows hcs hentries hcov hvalue]]]]; rewrite -hvalue.
rewrite /at_most size_ofE hrows hcs; case: bound_above => [||rels|vs].
- by rewrite -hvalue => /Nat.eqb_spec <-; apply: rank_le_rows.
- by rewrite -hvalue => /Nat.eqb_spec <-; apply: rank_le_columns_met.
- move=> h; rewrite -(entries_size hb) hentries; apply: rank_le_list => e he x hx.
  have [h1|h1|[i [rel h1]]] := relations_hold_sound (fit_size hrows) h he; [exact: hx | exact: entry_is_zeroE |].
  exact: (relation_holds_sound h1 hx).
rewrite tmapE => h; have hsize : size [seq negb c | c <- cs] = n by rewrite size_map (fit_size hcs).
move: (rank_le_null_vectors hsize h) => {h hsize}; rewrite count_map -hcov => h.
rewrite -(leq_add2r (count (preim negb id) [seq covered p | p <- block_places b])).
apply: leq_trans h _; rewrite -(covered_size hb) -(count_map covered id) (count_predC id) size_map (places_size hb) //.
Qed.

(* C7: if check_rank accepts, the rank of the list is the one that is claimed, and this is the size of the block. *)
Theorem check_rank_sound n es r b : (forall e, List.In e es -> entry_ok n e) -> check_rank propose n es r = Some b ->
  \rank (entries_matrix n es) = rank_value r /\ block_size b = rank_value r.
Proof.
rewrite /check_rank => hok; case hb: block_of => [c|] //; case: andP => // -[hreg hmost] [hcb]; subst c.
have [_ h1 h2] := block_rank R hok hb hreg; have [_ [rows [cs [_ _ _ _ hvalue]]]] := block_of_sound hb.
split=> //; apply/eqP; rewrite eqn_leq (at_most_sound hok hb hmost) -hvalue.
exact: leq_trans h1 (mxrankS h2).
Qed.
End RankSound.
