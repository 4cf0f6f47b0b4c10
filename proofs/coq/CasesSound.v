(* A tree of cases shows all inputs with an output (P2; section 4.9 of FORMAT.md).  Such an input follows, at every split, the child whose
   sign is that of the neuron's value; at the leaf, together with the values of the neurons that have no sign, it solves the rows of the
   leaf's layer, of which the claim leaves no solution or one.  Points that are held are tested themselves. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate RegionCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems.
From ExactRelu Require Import Checker EntryVectors EvaluationSound Soundness OneLayerSound FormsOnBalls RegionTree RegionTreeSound CasesChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists ---------- *)

Lemma replaceE (A : Type) i (a : A) s : replace i a s = if (i < size s)%N then take i s ++ a :: drop i.+1 s else s.
Proof.
rewrite /replace split_atE; case: ltnP => h; last by rewrite drop_oversize.
by rewrite (drop_nth a h) tappE.
Qed.
Lemma size_replace (A : Type) i (a : A) s : size (replace i a s) = size s.
Proof. by rewrite replaceE; case: ifP => // h; rewrite size_cat /= size_takel ?size_drop; lia. Qed.
Lemma nth_replace (A : Type) (d : A) i a s j : nth d (replace i a s) j = if (j == i) && (i < size s)%N then a else nth d s j.
Proof.
rewrite replaceE; case: (ltnP i (size s)) => h; rewrite ?andbT ?andbF //.
rewrite nth_cat size_takel; last exact: ltnW.
case: (ltngtP j i) => hj; [by rewrite nth_take | | by rewrite hj subnn].
by rewrite -subnSK //= nth_drop subnKC.
Qed.

Section CasesSound.
Variables (R : realFieldType) (propose : oracle) (reduce : seq Z -> Z * seq Z * Z).
Notation rational := (rational R).
Implicit Types (l : layer) (ls : seq layer) (K : domain) (p y : point) (f : form) (signs : case_signs) (s x X : seq R).

Lemma rows_dotR_mask marks a X : size X = size marks -> all (Z.eqb Z0) (mask [seq ~~ b | b <- marks] a) ->
  dotR (mask marks a) (mask marks X) = dotR a X.
Proof.
elim: marks a X => [|b marks IH] [|u a] [|v X] //=; try by case: b.
case: b => /= -[hs]; first by move=> h; rewrite IH.
by case: u => // h; rewrite IH // mul0r add0r.
Qed.

(* ---------- signs ---------- *)

(* what the sign of a neuron says of its value *)
Definition has_case_sign (b : bool) (v : R) : Prop := if b then 0 <= v else v <= 0.
(* the signs are true at the input s of the layers *)
Fixpoint agrees ls signs s : Prop :=
  match ls, signs with
  | [::], [::] => True
  | l :: ls', known :: signs' =>
      [/\ size known = size (rows l),
          forall j b, nth None known j = Some b -> has_case_sign b (row_at s (nth (Row Z0 Z0 [::]) (rows l) j)) &
          agrees ls' signs' (layer_at l s)]
  | _, _ => False
  end.
(* the values of the neurons without a sign *)
Fixpoint free_values ls signs s : seq R :=
  match ls, signs with
  | l :: ls', known :: signs' => mask (tmap2 is_free (rectified l) known) (layer_at l s) ++ free_values ls' signs' (layer_at l s)
  | _, _ => [::]
  end.

Lemma agrees_at_first n ls s : widths_agree n ls -> agrees ls (tmap (fun l => tmap (fun _ => None) (rectified l)) ls) s.
Proof.
rewrite tmapE; elim: ls n s => //= l ls IH n s [_ hm _ hls]; split; [by rewrite tmapE size_map | | exact: IH hls].
by move=> j b; rewrite tmapE; case: (ltnP j (size (rectified l))) => h; [rewrite (nth_map false) | rewrite nth_default ?size_map].
Qed.
(* A neuron's value has one sign or the other. *)
Lemma agrees_with_sign ls signs s k j : agrees ls signs s -> exists b, agrees ls (with_case_sign k j b signs) s.
Proof.
rewrite /with_case_sign nthE.
elim: ls signs s k => [|l ls IH] [|known signs] s k //=.
- by exists true; rewrite replaceE.
case=> hsize hsigns hls; case: k => [|k] /=.
- exists (0 <= row_at s (nth (Row Z0 Z0 [::]) (rows l) j)); split=> //; first by rewrite size_replace.
  move=> i b; rewrite nth_replace; case: ifP => [/andP[/eqP -> _] [<-]|_ /hsigns //].
  by rewrite /has_case_sign; case: ifP => // /negbT; rewrite -ltNge => /ltW.
- have [b hb] := IH signs _ k hls; exists b; move: hb; rewrite !replaceE [X in if X then _ else _]/= ltnS.
  by case: ifP => _ hb; split.
Qed.
Lemma size_free_values n ls signs s count : widths_agree n ls -> agrees ls signs s ->
  free_neurons ls signs count = (count + size (free_values ls signs s))%N.
Proof.
have fromE c marks : number_from c marks = (c + count_mem true marks)%N.
  by elim: marks c => [|[] marks IH] c /=; rewrite ?addn0 // IH ?addnA ?addn1 ?add0n.
elim: ls signs n s count => [|l ls IH] [|known signs] n s count //=; rewrite ?addn0 //.
move=> [_ hm _ hls] [hk _ hs]; rewrite (IH _ _ _ _ hls hs) fromE size_cat addnA; congr (_ + _ + _)%N.
rewrite size_mask; first by apply: eq_count => -[].
by rewrite (size_tmap2 _ hm hk) size_map size_zip hm minnn.
Qed.

(* ---------- the rows of a case ---------- *)

Lemma value_scaled c f X : value (tmap (Z.mul c) f) X = embed c * value f X.
Proof. by rewrite /value tmapE dotR_scale. Qed.
Lemma unit_after_gt0 l unit : Z.lt 0 unit -> Z.lt 0 (unit_after l unit).
Proof.
move=> hu; have [low0 _] := lowest_exponentP (rows l).
by apply/Z.ltb_lt; rewrite -(embed_gt0E R) embed_shiftl ?mulr_gt0 ?two_gt0 ?embed_gt0 //; lia.
Qed.

Section Columns.
Variables (columns : nat) (X : seq R).
Hypothesis size_X : size X = columns.
(* forms that are not positive *)
Definition at_most_0 (fs : seq form) : Prop := forall f, List.In f fs -> value f X <= 0.
Lemma at_most_0_cons f fs : value f X <= 0 -> at_most_0 fs -> at_most_0 (f :: fs).
Proof. by move=> hf hfs g [<-|/hfs]. Qed.

Lemma through_neurons_sound unit (z : seq (form * bool)) known column fs given tail : Z.lt 0 unit -> size known = size z ->
  (forall j b, nth None known j = Some b -> has_case_sign b (value (nth ([::], false) z j).1 X)) ->
  let out := [seq (if v.2 then Num.max 0 (value v.1 X) else value v.1 X) / embed unit | v <- z] in
  drop column X = mask (tmap2 is_free [seq v.2 | v <- z] known) out ++ tail -> at_most_0 fs ->
  let '(column', fs', given') := through_neurons columns unit z known column fs given in
  [/\ drop column' X = tail, at_most_0 fs' &
      [seq value f X / embed unit | f <- given'] = [seq value f X / embed unit | f <- rev given] ++ out].
Proof.
move=> hu; have u0 := embed_gt0 R hu.
elim: z known column fs given => [|[f marked] z IH] [|sign known] column fs given //=.
  by move=> _ _ hd hfs; split=> //; rewrite rev_append_cat !cats0.
move=> [hsize] hsigns.
have hsigns' j b : nth None known j = Some b -> has_case_sign b (value (nth ([::], false) z j).1 X) := hsigns j.+1 b.
have hsign b : sign = Some b -> has_case_sign b (value f X) := hsigns 0%N b; move: hsign => {hsigns}.
rewrite tmap2E /= -tmap2E; case: marked => /= hsign; last first.
  move=> hd hfs; have := IH _ column fs (f :: given) hsize hsigns' hd hfs.
  by case: through_neurons => [[column' fs'] given'] [? ? ->]; split=> //; rewrite rev_cons map_rcons cat_rcons.
case: sign hsign => [[] hsign|_] /=.
- move=> hd hfs; have hf : 0 <= value f X := hsign true erefl.
  have hfs' : at_most_0 (opposite f :: fs) by apply: at_most_0_cons => //; rewrite value_opposite oppr_le0.
  have := IH _ column _ (f :: given) hsize hsigns' hd hfs'.
  by case: through_neurons => [[column' fs''] given'] [? ? ->]; split=> //; rewrite rev_cons map_rcons cat_rcons max_r.
- move=> hd hfs; have hf : value f X <= 0 := hsign false erefl.
  have := IH _ column _ (zeros columns.+1 :: given) hsize hsigns' hd (at_most_0_cons hf hfs).
  case: through_neurons => [[column' fs''] given'] [? ? ->]; split=> //; rewrite rev_cons map_rcons cat_rcons max_l //.
  by rewrite /value dotR_zeros.
- move=> hd hfs; set h := tmap _ _.
  have hcolumn : (column < columns)%N.
    by rewrite -size_X ltnNge; apply/negP => /drop_oversize hd'; rewrite hd' in hd.
  have hnth : nth 0 X column = Num.max 0 (value f X) / embed unit.
    by rewrite -[column]addn0 -nth_drop hd.
  have hh : value h X = Num.max 0 (value f X).
    by rewrite /h value_scaled value_coordinate // hnth mulrC divfK // gt_eqF.
  have hd' : drop column.+1 X = mask (tmap2 is_free [seq v.2 | v <- z] known)
      [seq (if v.2 then Num.max 0 (value v.1 X) else value v.1 X) / embed unit | v <- z] ++ tail.
    by rewrite -addn1 addnC -drop_drop hd /= drop0.
  have hfs' : at_most_0 (add_scaled (Zneg xH) h f :: opposite h :: fs).
    apply: at_most_0_cons; last by apply: at_most_0_cons => //; rewrite value_opposite oppr_le0 hh le_maxr lexx.
    by rewrite /value dotR_add_scaled -!/(value _ _) hh mulN1r subr_le0 le_maxr lexx orbT.
  have := IH _ column.+1 _ (h :: given) hsize hsigns' hd' hfs'.
  case: through_neurons => [[column' fs''] given'] [? ? ->]; split=> //.
  by rewrite rev_cons map_rcons cat_rcons hh.
Qed.

(* a layer's forms, where its inputs are forms *)
Lemma forms_after_value l unit given r : Z.lt 0 unit -> List.In r (rows l) ->
  value (next_form columns (lowest_exponent (rows l)) unit given r) X / embed (unit_after l unit) =
  row_at [seq value f X / embed unit | f <- given] r.
Proof. by have [low0 hlow] := lowest_exponentP (rows l) => hu hr; apply: next_form_value => //; apply: hlow. Qed.

Lemma through_layers_sound n ls signs unit given column fs s tail : widths_agree n ls -> agrees ls signs s -> Z.lt 0 unit ->
  [seq value f X / embed unit | f <- given] = s -> drop column X = free_values ls signs s ++ tail -> at_most_0 fs ->
  let '(unit', given', fs') := through_layers columns ls signs unit given column fs in
  [/\ Z.lt 0 unit', [seq value f X / embed unit' | f <- given'] = layers_at ls s & at_most_0 fs'].
Proof.
elim: ls signs n unit given column fs s => [|l ls IH] [|known signs] n unit given column fs s //=.
move=> [_ hm _ hls] [hk hsigns hagrees] hu hs; rewrite -catA => hd hfs; have hu1 := unit_after_gt0 l hu.
have u1 := embed_gt0 R hu1.
set z := tmap2 pair _ _.
have ez : z = [seq (next_form columns (lowest_exponent (rows l)) unit given rb.1, rb.2) | rb <- zip (rows l) (rectified l)].
  by rewrite /z tmap2_pair /forms_after tmapE zip_map_left.
have hval r : List.In r (rows l) ->
    value (next_form columns (lowest_exponent (rows l)) unit given r) X = row_at s r * embed (unit_after l unit).
  by move=> hr; rewrite -hs -(forms_after_value given hu hr) divfK // gt_eqF.
have sz : size z = size (rows l) by rewrite ez size_map size_zip hm minnn.
have hsz : size known = size z by rewrite hk sz.
have hout : [seq (if v.2 then Num.max 0 (value v.1 X) else value v.1 X) / embed (unit_after l unit) | v <- z] = layer_at l s.
  rewrite ez -map_comp /layer_at; apply/eq_map_In => -[r b] /In_zip[/= hr _].
  by rewrite -hs -(forms_after_value given hu hr); case: b => //; rewrite max_div.
have hz : forall j b, nth None known j = Some b -> has_case_sign b (value (nth ([::], false) z j).1 X).
  move=> j b hj; have hjr : (j < size (rows l))%N.
    by rewrite -hk ltnNge; apply/negP => h; rewrite nth_default in hj.
  have := hsigns j b hj; rewrite ez (nth_map (Row Z0 Z0 [::], false)) ?size_zip ?hm ?minnn // nth_zip //= hval; last exact: nth_In.
  by rewrite /has_case_sign; case: b {hj} => h; [rewrite (pmulr_lge0 _ u1) | rewrite (pmulr_lle0 _ u1)].
have hmarks : [seq v.2 | v <- z] = rectified l.
  by rewrite ez -map_comp -[RHS](unzip2_zip (s := rows l)) ?hm //; apply: eq_map.
have := @through_neurons_sound _ z known column fs [::] (free_values ls signs (layer_at l s) ++ tail) hu1 hsz hz.
rewrite /= hout hmarks => /(_ hd hfs).
case: through_neurons => [[column' fs'] given'] [hd' hfs' hgiven]; exact: IH hls hagrees hu1 hgiven hd' hfs'.
Qed.

(* a row of the leaf's layer is kept by the point *)
Definition row_holds (r : case_row) : Prop := value (case_form r) X <= 0 /\ (is_zero_there r -> value (case_form r) X = 0).

Lemma output_rows_sound l unit given y : Z.lt 0 unit -> Z.lt 0 (denominator y) -> size (rectified l) = size (rows l) ->
  layer_at l [seq value f X / embed unit | f <- given] = rational y ->
  forall r, List.In r (output_rows columns l unit given y) -> row_holds r.
Proof.
move=> hu hD hm hy r; rewrite /output_rows /forms_after tmap2_pair tmapE tmap2E zip_map_left -map_comp.
move=> h; have {h} [[q [v b]] hq -> /=] := In_map h.
have u1 := embed_gt0 R (unit_after_gt0 l hu); have D0 := embed_gt0 R hD.
set s := [seq _ | f <- given] in hy; have [hr _] := In_zip hq.
have hval : value (next_form columns (lowest_exponent (rows l)) unit given q) X = row_at s q * embed (unit_after l unit).
  by rewrite -(forms_after_value given hu hr) divfK // gt_eqF.
have hq' : (if b then Num.max 0 (row_at s q) else row_at s q) = embed v / embed (denominator y).
  by apply: (zip3_equal (f := fun rb => if rb.2 then Num.max 0 (row_at s rb.1) else row_at s rb.1)
                        (g := fun v => embed v / embed (denominator y)) hy hq).
rewrite /row_holds /=; set g := value _ X.
have -> : g = (row_at s q - embed v / embed (denominator y)) * (embed (unit_after l unit) * embed (denominator y)).
  rewrite /g /value dotR_add_scaled -/(value _ _) value_scaled hval /= addr0 embed1 !mulr1 embed_opp embedM.
  by move: (lt0r_neq0 D0); move: (embed v) (embed (denominator y)) (embed (unit_after l unit)) (row_at s q) => *; field.
have ud := mulr_gt0 u1 D0; rewrite pmulr_lle0 // subr_le0 /in_P.
case: b {hr} hq hq' => /= hq hq'; last by rewrite hq' subrr lexx mul0r.
rewrite -hq' le_maxr lexx orbT; split=> // hv.
have : 0 < embed v / embed (denominator y) :> R by rewrite fraction_gt0.
by rewrite -hq' lt_maxr ltxx /= => /ltW h; rewrite max_r // subrr mul0r.
Qed.

End Columns.

Lemma size_opposite f : size (opposite f) = size f.
Proof. by rewrite /opposite tmapE size_map. Qed.
Lemma size_coordinate n j : (j < n)%N -> size (coordinate n j) = n.+1.
Proof. by rewrite coordinateE size_cat /= !size_nseq; lia. Qed.
Lemma size_domain_row n K f : is_domain n K -> List.In f (domain_rows n K) -> size f = n.+1.
Proof.
case: K => //= [_|lo hi _|sides hs].
- by rewrite tmapE list_seqE => hf; have [j /In_iota hj ->] := In_map hf; apply: size_coordinate.
- rewrite tmapE list_seqE => /List.in_concat[pair [hp hr]]; have [j /In_iota hj e] := In_map hp; rewrite {pair hp}e in hr.
  have h : size (List.tl (coordinate n j)) = n by have := size_coordinate hj; case: coordinate => //= ? ? [].
  by case: hr => [<-|[<-|[]]] /=; rewrite tmapE size_map h.
- by rewrite tmapE => hf; have [s /hs h ->] := In_map hf; rewrite size_opposite /= h.
Qed.

(* P1: all rows hold at an input in the domain that has the output, with the values of the neurons without a sign. *)
Theorem case_rows_sound n before l K y signs x : widths_agree n before -> size (rectified l) = size (rows l) -> is_domain n K ->
  Z.lt 0 (denominator y) -> size x = n -> in_domain n K x -> layer_at l (layers_at before x) = rational y -> agrees before signs x ->
  let X := x ++ free_values before signs x in
  forall r, List.In r (case_rows (size X) before l n K y signs) -> row_holds X r.
Proof.
move=> hw hm hK hD hx hin hy hsigns X; rewrite /case_rows.
have hX j : (j < n)%N -> value (coordinate (size X) j) X = nth 0 x j.
  by move=> hj; rewrite value_coordinate //; [rewrite nth_cat hx hj | rewrite size_cat hx; lia].
have hgiven : [seq value f X / embed (Zpos xH) | f <- tmap (coordinate (size X)) (List.seq 0 n)] = x.
  rewrite tmapE list_seqE -map_comp; apply: (@eq_from_nth _ 0); rewrite ?size_map ?size_iota // => j hj.
  by rewrite (nth_map 0%N) ?size_iota // nth_iota //= hX // divr1.
have hdrop : drop n X = free_values before signs x ++ [::] by rewrite /X -hx drop_size_cat // cats0.
have := @through_layers_sound (size X) X erefl n before signs (Zpos xH) _ n [::] x [::] hw hsigns erefl hgiven hdrop.
case: through_layers => [[unit given] reversed] /(_ (fun f h => False_ind _ h)) [hu hg hr] r.
rewrite !tappE rev_append_cat cats0 => /In_cat[|/In_cat[]].
- rewrite tmapE -map_rev => hr'; have [f hf ->] := In_map hr'; split=> //; apply: hr.
  by apply/List.in_rev; rewrite List.rev_alt rev_append_cat cats0.
- by move=> h; apply: (output_rows_sound hu hD hm _ h); rewrite hg.
- rewrite !tmapE => h; have [f' h' ->] := In_map h; have [f hf ->] := In_map h'; split=> //=.
  rewrite /value tappE dotR_cat dotR_zeros addr0 size_opposite.
  rewrite (size_domain_row hK hf) /= /X take_size_cat // -/(value _ _) value_opposite oppr_le0.
  exact: (iffRL (domain_rows_sound hK hx) hin).
Qed.

(* ---------- the layer of a case ---------- *)

(* A row of the layer is a positive multiple of the form. *)
Lemma layer_row_sound marks f X : size X = size marks -> is_zero (pick (tmap negb marks) (List.tl f)) ->
  exists2 c, 0 < c & row_at (mask marks X) (layer_row reduce marks f) = c * value f X.
Proof.
move=> hX; rewrite is_zeroE pickE tmapE => h0.
have hv : value f X = embed (List.hd Z0 f) + dotR (mask marks (List.tl f)) (mask marks X).
  by rewrite rows_dotR_mask // /value; case: (f) => [|b a] /=; rewrite ?mulr1 ?addr0.
rewrite /layer_row pickE; set a := _ :: _; case: (reduce a) => [[g q] e].
have plain : exists2 c, 0 < c & row_at (mask marks X) (Row Z0 (List.hd Z0 a) (List.tl a)) = c * value f X.
  by exists 1 => //; rewrite hv /row_at /a /= mul1r /Claims.two /= expr0 mulr1.
case: ifP => // /andP[/andP[/Z.ltb_lt hg]]; rewrite !size_ofE nat_eqb => /eqP hs hq {plain}.
have g0 := embed_gt0 R hg; exists (two R e / embed g); first by rewrite divr_gt0 ?two_gt0.
have ea : a = [seq Z.mul g v | v <- q].
  apply: (@eq_from_nth _ Z0); rewrite ?size_map // => j hj.
  have := (all_tmap2 Z0 Z0 (fun u v => Z.eqb u (Z.mul g v)) erefl hs).1 hq j hj => /Z.eqb_eq ->.
  by rewrite (nth_map Z0) // hs.
case: q ea {hs hq} => [|u q] // [eb ec]; rewrite hv eb ec dotR_scale embedM /row_at /= -mulrDr.
by rewrite mulrA divfK ?gt_eqF // mulrC.
Qed.

(* P1: where all rows hold, the layer has the output 0. *)
Theorem layer_of_rows_sound marks rs X : size X = size marks -> (forall r, List.In r rs -> row_holds X r) ->
  let leaf := layer_of_rows reduce marks rs in
  size (mask marks X) = inputs leaf /\ layer_at leaf (mask marks X) = rational (Point (Zpos xH) (zeros (size_of (rows leaf)))).
Proof.
move=> hX hrs leaf; split; first by rewrite /leaf /= numberE size_mask.
rewrite /leaf /layer_at /=; set kept := pick _ _.
have hkept r : List.In r kept -> row_holds X r /\ is_zero (pick (tmap negb marks) (List.tl (case_form r))).
  rewrite /kept pickE tmapE; elim: (rs) hrs => //= r' rs' IH hrs'.
  have {}IH := IH (fun r h => hrs' r (or_intror h)).
  by case hz: is_zero => //= -[<-|//]; split=> //; apply: hrs'; left.
rewrite !tmapE size_ofE size_map zerosE /Claims.rational /=.
elim: (kept) hkept => [|r rs' IH] hk //=; rewrite -IH => [|r' h]; last by apply: hk; right.
congr (_ :: _); have [[hle heq] hz] := hk r (or_introl erefl); have [c c0 ->] := layer_row_sound hX hz.
by rewrite mul0r; case: is_zero_there heq => /= [->|_] //; rewrite ?mulr0 // max_l // pmulr_rle0.
Qed.

Lemma size_read_columns count rs marks : size (read_columns count rs marks) = (count + size marks)%N.
Proof. by elim: count rs marks => [|k IH] rs marks //=; case: ifP => _; rewrite IH /= addnS. Qed.

(* ---------- a leaf ---------- *)

Section Tree.
Variables (n : nat) (before : seq layer) (l : layer) (K : domain) (y : point).
Hypotheses (widths : widths_agree n before) (marks_l : size (rectified l) = size (rows l)) (domain_K : is_domain n K).
Hypothesis (y_gt0 : Z.lt 0 (denominator y)).

(* what the tree has to show: x is an input in the domain with the output y *)
Definition is_input (x : seq R) : Prop := [/\ size x = n, in_domain n K x & layers_at (rcons before l) x = rational y].

(* P2: the only input that a leaf may hold is the one. *)
Theorem leaf_point_sound signs c evidences o x : leaf_point propose reduce n before l K y signs c evidences = Some o ->
  is_input x -> agrees before signs x -> exists2 p, o = Some p & Z.lt 0 (denominator p) /\ rational p = x.
Proof.
move=> + [hx hin hy] hsigns; rewrite layers_at_rcons in hy.
rewrite /leaf_point /case_layer; cbv zeta; rewrite (size_free_values 0 widths hsigns) add0n plusE; set X := x ++ free_values before signs x.
have sX : size X = (n + size (free_values before signs x))%N by rewrite size_cat hx.
rewrite -sX; set rs := case_rows _ _ _ _ _ _ _; set ms := read_columns _ _ _; set marks := repeat_onto _ _ _.
have smarks : size X = size marks by rewrite sX /marks repeat_ontoE size_cat size_nseq /ms size_read_columns addn0.
have [] := layer_of_rows_sound smarks (case_rows_sound widths marks_l domain_K y_gt0 hx hin hy hsigns).
rewrite -/rs; set leaf := layer_of_rows _ _ _; set w := mask marks X => sw vw; set zero := Point _ _.
have ew : w = x ++ mask ms (free_values before signs x) by rewrite /w /marks repeat_ontoE mask_cat ?size_nseq // mask_true ?hx.
set net := Network _ _; set certificate := Certificate _ _ _ _ _.
case: ifP => // /andP[/network_ok_widths_agree hnet haccepted].
have hlayers : layers net = [::] ++ leaf :: [::] by [].
have hscope : scope_layer certificate = (size (@nil layer)).+1 by [].
have hout q : LayerOutput zero <> NetworkInput q by [].
have none := @no_input R propose net [::] [::] leaf certificate hnet hlayers hscope haccepted w.
have one := @one_input R propose net [::] [::] leaf certificate hnet hlayers hscope haccepted.
have base := @base_input_sound R propose net [::] [::] leaf certificate hnet hlayers hscope haccepted.
rewrite /certificate {haccepted hscope certificate} in none one base *.
case: c none one base => [|[] d r a] //; first by move=> /(_ erefl sw I)/(_ vw).
case: evidences => [|[] // p evidences] // _ /(_ Singleton d r a p w hout erefl erefl erefl sw I vw) hw.
case/(_ Singleton d r a p hout erefl erefl) => -[hD _] _ _ [<-].
exists (Point (denominator p) (split_at n (numerators p)).1) => //; split=> //.
rewrite split_atE /Claims.rational /= map_take -/(Claims.rational R p) -hw ew -hx take_size_cat //.
Qed.

(* ---------- the tree ---------- *)

(* points that are inputs with the output, no two of them the same *)
Definition hold_well (points : seq point) : Prop :=
  uniq [seq rational p | p <- points] /\ forall p, List.In p points -> is_point n p /\ is_input (rational p).

Lemma contains_complete p : is_point n p -> in_domain n K (rational p) -> contains K p.
Proof.
move=> [hD hp]; case: (K) domain_K => //=.
- move=> _ h; rewrite forallbE; apply/all_In => v /(In_nth Z0)[j hj <-].
  by have := h j; rewrite -hp nth_rational fraction_ge0 //; apply.
- move=> lo hi [[hl sl] [hh sh]] h; apply/andP; split; [apply/(all_tmap2 Z0 Z0 _ sl hp) | apply/(all_tmap2 Z0 Z0 _ hp sh)] => j /h;
    by rewrite !nth_rational !fraction_le // => /andP[].
- move=> sides hs h; rewrite forallbE; apply/all_In => q /h.
  by rewrite dotR_rational -(embed_le0 R) embedD embedM -(pmulr_lle0 _ (embed_gt0 R hD)) mulrDl divfK // gt_eqF // embed_gt0.
Qed.
Lemma held_point p : widths_agree n (rcons before l) ->
  point_ok n p && contains K p && same_point (value_through (tapp before [:: l]) p) y -> is_point n p /\ is_input (rational p).
Proof.
rewrite tappE cats1 => hls /andP[/andP[/point_ok_is_point hp hcont] hsame]; split=> //.
have [ev [hD _]] := value_through_sound R hls hp; split; [by rewrite size_rational; case: hp | exact: contains_sound |].
by rewrite -ev; apply: same_point_sound.
Qed.

(* P2: the points that a tree adds to others hold all inputs at which the signs are true, and they are inputs, no two of them the same. *)
Theorem held_sound t signs points points' : widths_agree n (rcons before l) -> is_point (size (rows l)) y ->
  held propose reduce n before l K y t signs points = Some points' -> hold_well points ->
  [/\ hold_well points', forall p, List.In p points -> List.In p points' &
      forall x, is_input x -> agrees before signs x -> exists2 p, List.In p points' & rational p = x].
Proof.
move=> hls hy; elim: t signs points points' => [[|k] j off IHoff on IHon|c evidences] signs points points' //=.
  case: ifP => // _; case hoff: held => [between|] // hon hpoints.
  have [hb sub_b in_b] := IHoff _ _ _ hoff hpoints; have [hp' sub_p in_p] := IHon _ _ _ hon hb.
  split=> // [p /sub_b/sub_p|x hx /(agrees_with_sign k j)[[] hs]] //; first exact: in_p hx hs.
  by have [p /sub_p] := in_b x hx hs; exists p.
case hleaf: leaf_point => [o|] // + hpoints.
have only x : is_input x -> agrees before signs x -> exists2 p, o = Some p & Z.lt 0 (denominator p) /\ rational p = x.
  exact: leaf_point_sound hleaf.
case: o only {hleaf} => [p|] only; last by move=> [<-]; split=> // x hx /(only x hx)[].
case: ifP => [/andP[hp hnew] [<-]|hold [<-]].
  have [hp1 hp2] := held_point hls hp; have [hD _] := hp1; have [hu hall] := hpoints.
  split=> [|q hq|x hx /(only x hx)[q [->] [_ hq]]]; [split=> [|q [<-|/hall]] // | by right | by exists q; first by left].
  rewrite /= hu andbT; apply: contra hnew => /InP h; have [q hq e] := In_map h.
  by apply/List.existsb_exists; exists q; split=> //; have [[hDq _] _] := hall q hq; apply: rational_same e.
split=> // x hx hs; have [q [eq] [hD hq]] := only x hx hs; subst q.
have [sx hin hout] := hx; have [hu hall] := hpoints.
have hp : point_ok n p && contains K p && same_point (value_through (tapp before [:: l]) p) y.
  have hpt : is_point n p by split=> //; rewrite -(size_rational R) hq.
  have [ev [hDv _]] := value_through_sound R hls hpt.
  apply/andP; split; first (apply/andP; split).
  - by rewrite /point_ok size_ofE; apply/andP; split; [apply/Z.ltb_lt | rewrite nat_eqb; apply/eqP; case: hpt].
  - by apply: contains_complete; rewrite ?hq.
  - by rewrite tappE cats1; apply: (@rational_same R) => //; rewrite ev hq.
move: hold; rewrite hp /= => /negbFE/List.existsb_exists[q [hq' same]]; exists q => //.
by have [[hDq _] _] := hall q hq'; rewrite -hq; symmetry; apply: same_point_sound.
Qed.
End Tree.

(* P2: cases that are accepted: exactly so many inputs in the domain have the output. *)
Theorem cases_ok_sound n before l K y k t : widths_agree n (rcons before l) -> is_domain n K -> is_point (size (rows l)) y ->
  cases_ok propose reduce n before l K y k t -> finite (preimage_through (n := n) (rcons before l) K (rational y)) k.
Proof.
move=> hls hK hy /andP[_]; case hheld: held => [points|] // /Nat.eqb_eq <-; have [hD _] := hy.
have [hw [_ hm _ _]] := proj1 (widths_agree_cat n before [:: l]) (eq_ind_r (widths_agree n) hls (cats1 before l)).
have [[hu hall] _ in_p] := held_sound hw hm hK hD hls hy hheld (conj erefl (fun p h => False_ind _ h)).
exists [seq vector_of n x | x <- [seq rational p | p <- points]]; split.
- rewrite map_inj_in_uniq // => x x' /InP hx /InP hx' e; have [p hp ex] := In_map hx; have [p' hp' ex'] := In_map hx'.
  have [_ [sx _ _]] := hall p hp; have [_ [sx' _ _]] := hall p' hp'; rewrite -ex in sx; rewrite -ex' in sx'.
  by rewrite -(coordinates_vector_of sx) e coordinates_vector_of.
- by rewrite !size_map size_ofE.
- move=> x; split=> [[hin hout]|/mapP[v /InP hv ->]].
    have hx : is_input n before l K y (coordinates x) by split=> //; apply: size_coordinates.
    have [p hp e] := in_p _ hx (agrees_at_first _ hw); apply/mapP; exists (rational p); first exact/InP/map_In.
    by rewrite e; apply/colP => i; rewrite mxE nth_coordinates.
  have [p hp ->] := In_map hv; have [_ [sx hin hout]] := hall p hp.
  by split; rewrite coordinates_vector_of.
Qed.
End CasesSound.
