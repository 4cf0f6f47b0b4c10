(* I1, I2: what is 0 on the difference of any two inputs of the domain with one output: rows that no relu follows; the rows of a
   dependency whose rows are multiples of one another; the columns in which a box or a ball has one value; sides of a polytope that are
   equalities on it. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker InjectivityChecks EntryVectors EvaluationSound SystemsSound.
From ExactRelu Require Import ConvexDomains DependencySound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Multiples.
Variable R : realFieldType.
Implicit Types (a b : seq Z) (x : seq R).

Lemma leading_entriesP a b : let uv := leading_entries a b in
  (Z.eqb uv.1 0 -> Z.eqb uv.2 0 -> size a = size b -> all (Z.eqb Z0) a) .
Proof.
elim: a b => [|u a IH] [|v b] //=; case: ifP => [/andP[/Z.eqb_eq -> _] h1 h2 [/(IH b h1 h2)] //|].
by move=> /= + h1 h2; rewrite h1 h2.
Qed.

(* I1: multiples of one another are orthogonal to the same vectors. *)
Theorem are_multiples_sound a b x : size a = size b -> are_multiples a b -> dotR b x = 0 -> dotR a x = 0.
Proof.
move=> hs; rewrite /are_multiples; have := @leading_entriesP a b; case: leading_entries => u v /= hzero.
case/andP=> /Bool.eqb_prop huv; rewrite tmap2E forallbE => hall h0.
case: (Z.eqb_spec v 0) huv => [v0|v0] huv; first by apply: dotR_zero; apply: hzero => //; rewrite v0.
have : embed v * dotR a x = embed u * dotR b x.
  rewrite -!dotR_scale; congr dotR; elim: a b hs hall {h0 hzero} => [|s a IH] [|t b] //= [hs] /andP[/Z.eqb_eq -> h].
  by congr (_ :: _); apply: IH.
by rewrite h0 mulr0 => /eqP; rewrite mulf_eq0 embed_eq0 => /orP[/Z.eqb_eq //|/eqP].
Qed.

(* ---------- sides that are equalities ---------- *)

Lemma nonpositive_parts (u v : R) : u <= 0 -> v <= 0 -> u + v = 0 -> u = 0.
Proof. by move=> hu hv /eqP; rewrite addr_eq0 => /eqP e; apply/eqP; rewrite eq_le hu /= e oppr_ge0. Qed.
(* terms of one sign whose sum is 0 *)
Lemma sum_of_nonpositive (ms : seq Z) (ss : seq (Z * seq Z)) x : size ms = size ss -> all (Z.ltb Z0) ms ->
  (forall s, List.In s ss -> embed s.1 + dotR s.2 x <= 0) ->
  let sum := dots ms [seq s.2 | s <- ss] x + embed (dot ms [seq s.1 | s <- ss]) in
  sum <= 0 /\ (sum = 0 -> forall s, List.In s ss -> embed s.1 + dotR s.2 x = 0).
Proof.
elim: ms ss => [|m ms IH] [|s ss] //=; first by rewrite addr0.
move=> [hs] /andP[/Z.ltb_lt hm hms] h; have [h1 h2] := IH ss hs hms (fun s' h' => h s' (or_intror h')).
rewrite dot_cons embedD embedM addrACA -mulrDr.
have m0 : 0 < embed m :> R by apply: embed_gt0.
have t : embed m * (dotR s.2 x + embed s.1) <= 0 by rewrite addrC pmulr_rle0 //; apply: h; left.
split=> [|e s' [<-|hs']]; first by rewrite -[X in _ <= X]addr0 ler_add.
  have : embed m * (dotR s.2 x + embed s.1) = 0 by apply: (nonpositive_parts t h1 e).
  by move/eqP; rewrite mulf_eq0 (gt_eqF m0) /= addrC => /eqP.
by apply: h2 => //; apply: (nonpositive_parts h1 t); rewrite addrC.
Qed.

Variables (n : nat) (K : convex_domain).

Lemma flat_sidesP ms ss x : flat_sides n K ms = Some ss -> in_convex_domain n K x ->
  forall s, List.In s ss -> embed s.1 + dotR s.2 x = 0.
Proof.
rewrite /flat_sides; case ht: chosen => [terms|] //; have [eterms hterms] := chosenP (Z0, [::]) ht.
rewrite !tmapE; case: ifP => // /andP[hzero /Z.eqb_eq htotal] [<-] hx.
set sides := [seq t.1 | t <- terms] in hzero htotal *; set ws := [seq t.2 | t <- terms] in hzero htotal.
have neg s : List.In s sides -> embed s.1 + dotR s.2 x <= 0.
  move=> hin; have [t] := In_map hin; rewrite eterms => ht' ->; have [m hm ->] := In_map ht'.
  have [hm1 _] := hterms m hm; move: hm1; rewrite /polytope_sides; case: (K) hx => //= -[] //= all_sides hx hm1.
  by apply: hx; apply: nth_In.
have ws0 : all (Z.ltb Z0) ws.
  apply/all_In => w hw; have [t ht' ->] := In_map hw; move: ht'; rewrite eterms => ht'; have [m hm ->] := In_map ht'.
  by apply/Z.ltb_lt; have [] := hterms m hm.
have size_ws : size ws = size sides by rewrite !size_map.
have [_] := sum_of_nonpositive size_ws ws0 neg; apply.
rewrite is_zeroE in hzero; have := dotR_zero x hzero; rewrite dotR_combination dotR_zeros add0r => ->.
by rewrite htotal addr0.
Qed.
Lemma In_flat_sides ms ss : is_convex_domain n K -> flat_sides n K ms = Some ss -> forall s, List.In s ss -> size s.2 = n.
Proof.
rewrite /flat_sides; case ht: chosen => [terms|] //; have [eterms hterms] := chosenP (Z0, [::]) ht.
rewrite !tmapE; case: ifP => // _ hK [<-] s hin; have [t] := In_map hin; rewrite eterms => ht' ->; have [m hm ->] := In_map ht'.
have [hm1 _] := hterms m hm; move: hm1; rewrite /polytope_sides; case: (K) hK => //= -[] //= all_sides hK hm1.
by apply: hK; apply: nth_In.
Qed.
Lemma all_flat_sidesP fs ss : is_convex_domain n K -> all_flat_sides n K fs = Some ss -> forall s, List.In s ss ->
  size s.2 = n /\ forall x, in_convex_domain n K x -> embed s.1 + dotR s.2 x = 0.
Proof.
move=> hK; elim: fs ss => [|f fs IH] ss /=; first by case=> <-.
case hf: flat_sides => [sides|] //; case ho: all_flat_sides => [others|] // [<-] s; rewrite tappE => /In_cat[h|]; last exact: IH.
split=> [|x hx]; first exact: In_flat_sides hf s h.
exact: flat_sidesP hf hx s h.
Qed.
End Multiples.

Section CertainSound.
Variable R : realFieldType.
Variables (lowered_by : fraction) (l : layer) (K : convex_domain).
Let n := inputs l.
Hypotheses (marks_size : size (rectified l) = size (rows l)) (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (domain_K : is_convex_domain n K) (fraction_ok : Z.lt 0 (below lowered_by)).
Variables (x y : seq R).
Hypotheses (size_x : size x = n) (size_y : size y = n) (x_in : in_convex_domain n K x) (y_in : in_convex_domain n K y).
Hypothesis one_output : lowered_layer_at (value_of R lowered_by) l x = lowered_layer_at (value_of R lowered_by) l y.
Let r := difference x y.
Let same_size : size x = size y. Proof. by rewrite size_x size_y. Qed.

(* an entry of n columns that is 0 on the difference *)
Definition is_certain (e : entry) : Prop := entry_ok n e /\ entry_of_list e r = 0.

Lemma numbered_row_width d j : dependency_holds lowered_by l K d -> List.In j (row_numbers d) -> size (coefficients (numbered_row l j)) = n.
Proof. by move=> hd /(row_numbers_exist marks_size hd) hj; apply: widths; rewrite /numbered_row nthE; apply: nth_In. Qed.

Lemma unrectified_certain e :
  List.In e (tmap (fun r => General (layer_general true r)) (pick (tmap negb (rectified l)) (rows l))) -> is_certain e.
Proof.
rewrite pickE !tmapE => he; have [a ha ->] := In_map he.
have [i [hi _ [ea hb]]] := In_mask_nth (Row Z0 Z0 [::]) ha; split=> /=; first by apply: widths; exact: In_mask ha.
have hrow : List.In (a, nth false (rectified l) i) (zip (rows l) (rectified l)).
  by rewrite ea; apply: zip_In_nth; rewrite ?marks_size.
case: (row_of_one_output same_size one_output hrow) => [//|[h _]].
by move: hb; rewrite (nth_map false) ?marks_size // h.
Qed.

Lemma certain_row_certain d e : dependency_holds lowered_by l K d -> certain_row l d = Some e -> is_certain e.
Proof.
move=> hd; rewrite /certain_row; case hj: row_numbers => [|j js] //; case: ifP => //; rewrite forallbE => /all_In hall [<-].
have width i : List.In i (j :: js) -> size (coefficients (numbered_row l i)) = n by rewrite -hj; apply: numbered_row_width hd.
split; first by apply: width; left.
have [i] := dependency_sound marks_size domain_K fraction_ok size_x size_y x_in y_in one_output hd.
rewrite hj /vanishes => /= -[<-|hi] /eqP // h0; apply: are_multiples_sound h0; last exact: hall.
by rewrite !width //; [right | left].
Qed.
Lemma certain_rows_certain ds es : (forall d, List.In d ds -> dependency_holds lowered_by l K d) -> certain_rows l ds = Some es ->
  forall e, List.In e es -> is_certain e.
Proof.
elim: ds es => [|d ds IH] es /= h; first by case=> <-.
case he: certain_row => [e|] //; case hes: certain_rows => [es'|] // [<-] e' [<-|].
  by apply: certain_row_certain he; apply: h; left.
by apply: IH hes e' => d' hd'; apply: h; right.
Qed.

Lemma size_fixed_columns : size (fixed_columns n K) = n.
Proof.
rewrite /fixed_columns; case: K domain_K => [[||lo hi|sides]|D N] /= hK; rewrite ?all_columnsE ?size_nseq //.
by have [[_ h1] [_ h2]] := hK; apply: size_tmap2.
Qed.
(* Where the domain has one value, the difference is 0. *)
Lemma fixed_column_zero k : nth false (fixed_columns n K) k -> (k < n)%N /\ nth 0 r k = 0.
Proof.
move=> h; have hk : (k < n)%N by rewrite -size_fixed_columns; apply: contraTltn h => hk; rewrite nth_default.
split=> //; rewrite /r nth_difference //; move: h; rewrite /fixed_columns.
case: K domain_K x_in y_in => [[||lo hi|sides]|D N] /= hK hx hy; rewrite ?all_columnsE ?nth_nseq ?hk //.
  have [[lo0 size_lo] [hi0 size_hi]] := hK; rewrite (nth_tmap2 Z0 Z0 _ size_lo size_hi) hk /= => h.
  have eb : nth 0 (rational R lo) k = nth 0 (rational R hi) k by rewrite !nth_rational; apply/eqP; rewrite fraction_eq.
  by have := hx k hk; have := hy k hk; rewrite eb => /le_anti ey /le_anti ex; rewrite -ex -ey subrr.
(* a ball of radius 0 *)
move=> /Z.eqb_eq N0; move: hx hy; rewrite N0 mul0r expr0n /= => /squared_length_le0 hx /squared_length_le0 hy.
by rewrite hx hy subrr.
Qed.
Lemma fixed_side_certain e : List.In e (fixed_sides n K) -> is_certain e.
Proof.
rewrite /fixed_sides; set s := System _ _ _ _ => he.
have size_marks : size (lower_sides s) = size (upper_sides s) by rewrite /= all_columnsE size_nseq size_fixed_columns.
have [k [[h _]|[/fixed_column_zero[hk hr] ->]]] := (In_sides e size_marks).1 he.
  by move: h; rewrite /= all_columnsE nth_nseq if_same.
by split; [split; [| left] | rewrite /= mul1r].
Qed.

(* I1, I5: every entry of the list A0 is 0 on the difference. *)
Theorem certain_entries_sound ev es : (forall d, List.In d (dependencies ev) -> dependency_holds lowered_by l K d) ->
  certain_entries l K ev = Some es -> forall e, List.In e es -> is_certain e.
Proof.
move=> hd; rewrite /certain_entries; case hds: numbered => [ds|] //; case hf: all_flat_sides => [flat|] //.
case hes: certain_rows => [es'|] // [<-] e; rewrite !tappE => /In_cat[|/In_cat[|/In_cat[]]].
- exact: unrectified_certain.
- by apply: certain_rows_certain hes e => d /(In_numbered hds)/hd.
- exact: fixed_side_certain.
- rewrite tmapE => h; have [s hs ->] := In_map h; have [size_s h0] := all_flat_sidesP R domain_K hf hs; split=> //=.
  by rewrite /r dotR_difference //; have /addrI -> := etrans (h0 _ x_in) (esym (h0 _ y_in)); rewrite subrr.
Qed.
End CertainSound.
