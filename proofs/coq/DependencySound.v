(* I1, I2: two inputs x, y of a convex domain with one output.  At their midpoint a row that is not 0 on x - y is negative, and a relu
   follows it.  Hence a dependency, which says that its rows are not all negative at a point of the domain, has a row that is 0 on x - y. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker InjectivityChecks EntryVectors EvaluationSound EmptySound.
From ExactRelu Require Import AffinePieces ConvexDomains.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- elements by their numbers ---------- *)

Lemma chosen_from (A : Type) (a : A) next all ms out terms : chosen next all ms out = Some terms ->
  terms = rev out ++ [seq (nth a all (m.1 - next), m.2) | m <- ms] /\
  forall m, List.In m ms -> [/\ (next <= m.1)%N, (m.1 - next < size all)%N & Z.lt 0 m.2].
Proof.
elim: all next ms out => [|b all IH] next [|[j w] ms] out //; try by case=> <-; rewrite rev_append_cat !cats0.
have shift ms' : (forall m, List.In m ms' -> [/\ (next.+1 <= m.1)%N, (m.1 - next.+1 < size all)%N & Z.lt 0 m.2]) ->
    [seq (nth a all (m.1 - next.+1), m.2) | m <- ms'] = [seq (nth a (b :: all) (m.1 - next), m.2) | m <- ms'] /\
    forall m, List.In m ms' -> [/\ (next <= m.1)%N, (m.1 - next < size (b :: all))%N & Z.lt 0 m.2].
  move=> h; split; first by apply/eq_map_In => m /h[h1 _ _]; rewrite -(subnSK h1).
  by move=> m /h[h1 h2 h3]; rewrite -(subnSK h1); split=> //; apply: ltnW.
rewrite [chosen _ _ _ _]/=; case: Nat.eqb_spec => [->|_].
  case: ifP => // /Z.ltb_lt hw /IH[-> /shift[-> h]]; split; first by rewrite rev_cons cat_rcons /= subnn.
  by move=> m [<-|/h //] /=; rewrite subnn.
by move=> /IH[-> /shift[-> h]].
Qed.
Lemma chosenP (A : Type) (a : A) all ms terms : chosen 0 all ms [::] = Some terms ->
  terms = [seq (nth a all m.1, m.2) | m <- ms] /\ forall m, List.In m ms -> (m.1 < size all)%N /\ Z.lt 0 m.2.
Proof.
move=> /(chosen_from a)[-> h]; split; first by apply: eq_map => m; rewrite subn0.
by move=> m /h[_]; rewrite subn0.
Qed.

Lemma In_numbered (A : Type) (all : seq A) js s a : numbered all js = Some s -> List.In a s -> List.In a all.
Proof.
rewrite /numbered; case hc: chosen => [terms|] //= [<-]; rewrite tmapE => h; have [t ht ->] := In_map h.
have [e hms] := chosenP a hc; rewrite e in ht; have [m hm ->] := In_map ht; have [hm1 _] := hms m hm; exact: nth_In.
Qed.

Section DependencySound.
Variable R : realFieldType.
Implicit Types (x y z : seq R) (r : row).
Notation two := (two R).

(* ---------- the midpoint and the difference of two points ---------- *)

Definition midpoint x y : seq R := [seq (u.1 + u.2) / 2%:R | u <- zip x y].
Definition difference x y : seq R := [seq u.1 - u.2 | u <- zip x y].
Lemma size_midpoint n x y : size x = n -> size y = n -> size (midpoint x y) = n.
Proof. by move=> hx hy; rewrite size_map size_zip hx hy minnn. Qed.
Lemma size_difference n x y : size x = n -> size y = n -> size (difference x y) = n.
Proof. by move=> hx hy; rewrite size_map size_zip hx hy minnn. Qed.
Lemma dotR_midpoint a x y : size x = size y -> dotR a (midpoint x y) = (dotR a x + dotR a y) / 2%:R.
Proof.
elim: a x y => [|u a IH] [|v x] [|w y] //= => [_|_|_|[e]]; rewrite ?addr0 ?mul0r //.
by rewrite IH //; set h := 2%:R^-1; ring.
Qed.
Lemma dotR_difference a x y : size x = size y -> dotR a (difference x y) = dotR a x - dotR a y.
Proof.
elim: a x y => [|u a IH] [|v x] [|w y] //= => [_|_|_|[e]]; rewrite ?subrr //.
by rewrite IH //; ring.
Qed.
Lemma nth_difference x y j : size x = size y -> nth 0 (difference x y) j = nth 0 x j - nth 0 y j.
Proof.
move=> hs; have [hj|hj] := ltnP j (size x); first by rewrite (nth_map (0, 0)) ?size_zip -?hs ?minnn // nth_zip.
by rewrite !nth_default ?(size_difference (n := size x)) -?hs // subr0.
Qed.
Lemma difference_zero x y : size x = size y -> (forall j, nth 0 (difference x y) j = 0) -> x = y.
Proof.
move=> hs h; apply: (@eq_from_nth _ 0) => // j _; have := h j; rewrite nth_difference //.
by move/eqP; rewrite subr_eq0 => /eqP.
Qed.

Lemma affine_half (c p p' : R) : c + (p + p') / 2%:R = ((c + p) + (c + p')) / 2%:R.
Proof. have two0 : 2%:R != 0 :> R by rewrite pnatr_eq0. by field. Qed.

(* A domain holds the midpoint. *)
Lemma domain_midpoint n K x y : size x = n -> size y = n -> in_convex_domain n K x -> in_convex_domain n K y ->
  in_convex_domain n K (midpoint x y).
Proof.
move=> hx hy kx ky; have two0 : 2%:R != 0 :> R by rewrite pnatr_eq0.
have half : (1 - 2%:R^-1 = 2%:R^-1 :> R) by field.
have -> : midpoint x y = mix (1 - 2%:R^-1) 2%:R^-1 x y.
  by rewrite half; apply: eq_map => -[u v] /=; rewrite mulrDl ![_ / _]mulrC.
apply: in_convex_domain_between => //; first by rewrite hx hy.
by rewrite invr_ge0 ler0n invf_le1 ?ltr0n // ler1n.
Qed.

(* ---------- two points with one output ---------- *)

Lemma row_at_midpoint r x y : size x = size y -> row_at (midpoint x y) r = (row_at x r + row_at y r) / 2%:R.
Proof. by move=> hs; rewrite /row_at dotR_midpoint // affine_half -mulrDl; ring. Qed.

(* values that a relu makes equal are equal, or their mean is negative *)
Lemma relu_equal (u v : R) : Num.max 0 u = Num.max 0 v -> u = v \/ (u + v) / 2%:R < 0.
Proof.
rewrite pmulr_llt0 ?invr_gt0 ?ltr0n //; case: (lerP 0 u) => hu; case: (lerP 0 v) => hv.
- by left.
- move=> e; case: (ltrP (u + v) 0) => h; first by right.
  by move: h; rewrite e add0r leNgt hv.
- move=> e; case: (ltrP (u + v) 0) => h; first by right.
  by move: h; rewrite -e addr0 leNgt hu.
- by move=> _; right; rewrite -[0]addr0 ltr_add.
Qed.

(* I1: a row is 0 on the difference, or a relu follows and, its bias lowered by t, it is negative at the midpoint. *)
Theorem row_of_one_output t l x y : size x = size y -> lowered_layer_at t l x = lowered_layer_at t l y ->
  forall r b, List.In (r, b) (zip (rows l) (rectified l)) ->
  dotR (coefficients r) (difference x y) = 0 \/ b /\ row_at (midpoint x y) r < t.
Proof.
move=> hs /eq_map_In h r b /h /=; rewrite row_at_midpoint // dotR_difference //.
have equal : row_at x r = row_at y r -> dotR (coefficients r) x - dotR (coefficients r) y = 0.
  by move=> /(mulIf (two_neq0 R _))/addrI ->; rewrite subrr.
case: b => [/relu_equal[/addIr/equal|]|/equal]; [by left | right; split=> // | by left].
by move: b; rewrite addrACA -opprD -mulr2n mulrBl -[t *+ 2]mulr_natr mulfK ?pnatr_eq0 // subr_lt0.
Qed.

(* ---------- dependencies ---------- *)

(* rows that are below t at z, with positive multipliers *)
Lemma sum_below_from t low rs (ws : seq Z) z : (forall r, List.In r rs -> Z.le low (exponent r)) -> size ws = size rs ->
  all (Z.ltb Z0) ws -> (forall r, List.In r rs -> row_at z r < t) ->
  let scaled := [seq Z.shiftl rw.2 (Z.sub (exponent rw.1) low) | rw <- zip rs ws] in
  let sum := dots scaled [seq coefficients r | r <- rs] z + embed (dot scaled [seq constant r | r <- rs]) in
  let bound := embed (sum_abs ws) * two (Z.opp low) * t in
  if rs is [::] then sum = bound else sum < bound.
Proof.
elim: rs ws => [|r rs IH] [|w ws] //= hlow; first by rewrite addr0 !mul0r.
move=> [hs] /andP[/Z.ltb_lt hw hws] hneg.
have {}IH := IH ws (fun r' h => hlow r' (or_intror h)) hs hws (fun r' h => hneg r' (or_intror h)).
rewrite dot_cons embedD embedM addrACA embed_shiftl; last by have := hlow r (or_introl erefl); lia.
rewrite sum_abs_cons embedD (_ : Z.abs w = w) ?mulrDl; last by lia.
have term : embed w * two (Z.sub (exponent r) low) * dotR (coefficients r) z +
    embed w * two (Z.sub (exponent r) low) * embed (constant r) < embed w * two (Z.opp low) * t.
  rewrite two_add; have -> : forall a b c d e : R, a * (b * c) * d + a * (b * c) * e = (a * c) * ((e + d) * b) by move=> *; ring.
  by rewrite ltr_pmul2l ?mulr_gt0 ?two_gt0 ?embed_gt0 //; apply: hneg; left.
case: rs {hlow hs hneg} IH => [->|r' rs' /ltW h]; first by rewrite ltr_add2r.
exact: ltr_le_add.
Qed.
Lemma sum_below t low rs (ws : seq Z) z : (0 < size rs)%N -> (forall r, List.In r rs -> Z.le low (exponent r)) -> size ws = size rs ->
  all (Z.ltb Z0) ws -> (forall r, List.In r rs -> row_at z r < t) ->
  let scaled := [seq Z.shiftl rw.2 (Z.sub (exponent rw.1) low) | rw <- zip rs ws] in
  dots scaled [seq coefficients r | r <- rs] z + embed (dot scaled [seq constant r | r <- rs]) <
  embed (sum_abs ws) * two (Z.opp low) * t.
Proof. by move=> h0 h1 h2 h3 h4; have := sum_below_from h1 h2 h3 h4; case: (rs) h0. Qed.

Variables (lowered_by : fraction) (l : layer) (K : convex_domain).
Let n := inputs l.
Hypotheses (marks_size : size (rectified l) = size (rows l)) (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (domain_K : is_convex_domain n K) (fraction_ok : Z.lt 0 (below lowered_by)).
Notation lowering := (value_of R lowered_by).

(* row j is 0 on d *)
Definition vanishes (d : seq R) (j : nat) : bool := dotR (coefficients (numbered_row l j)) d == 0.

(* I2, I9: the rows of a dependency that is accepted are not all below t at a point of the domain. *)
Theorem dependency_not_negative d z : dependency_holds lowered_by l K d -> size z = n -> in_convex_domain n K z ->
  ~ (forall j, List.In j (row_numbers d) -> row_at z (numbered_row l j) < lowering).
Proof.
rewrite /dependency_holds /row_numbers => hd size_z hz; rewrite tmapE => hneg; move: hd.
case ht: chosen => [terms|] //; case hs: chosen => [side_terms|] //.
have [eterms hterms] := chosenP (Row Z0 Z0 [::], false) ht.
have [esides hsides] := chosenP (Z0, [::]) hs.
rewrite tmap2_pair size_zip marks_size minnn in eterms hterms.
move=> /andP[/andP[nonempty _]]; rewrite !tmapE !tmap2E.
set rs := [seq t.1.1 | t <- terms]; set low := lowest_exponent rs; set ws := [seq t.2 | t <- terms].
set one := Z.shiftl _ _; set sides := [seq t.1 | t <- side_terms]; set side_ws := [seq t.2 | t <- side_terms].
have [low0 low_le] := lowest_exponent_le rs.
have one0 : Z.lt 0 one.
  by apply/Z.ltb_lt; rewrite -(embed_gt0E R) /one embed_shiftl ?mul1r ?two_gt0 //; lia.
have neg r : List.In r rs -> row_at z r < lowering.
  move=> hr; have [t] := In_map hr; rewrite eterms => ht' ->; have [m hm ->] := In_map ht'.
  have [hm1 _] := hterms m hm; rewrite nth_zip //=.
  by have := hneg m.1 (map_In fst hm); rewrite /numbered_row nthE.
have ws0 : all (Z.ltb Z0) ws.
  apply/all_In => w hw; have [t ht' ->] := In_map hw; move: ht'; rewrite eterms => ht'; have [m hm ->] := In_map ht'.
  by apply/Z.ltb_lt; have [] := hterms m hm.
have size_ws : size ws = size rs by rewrite !size_map.
have rs0 : (0 < size rs)%N by move: nonempty; rewrite size_ofE nat_eqb size_map lt0n.
have := sum_below rs0 low_le size_ws ws0 neg.
set scaled := [seq Z.shiftl _ _ | _ <- _] => /= hrows.
have side_ws0 : all (Z.leb Z0) side_ws.
  apply/all_In => w hw; have [t ht' ->] := In_map hw; move: ht'; rewrite esides => ht'; have [m hm ->] := In_map ht'.
  by apply/Z.leb_le; have [_ h] := hsides m hm; apply: Z.lt_le_incl.
have side_neg s : List.In s sides -> embed s.1 + dotR s.2 z <= 0.
  move=> hin; have [t] := In_map hin; rewrite esides => ht' ->; have [m hm ->] := In_map ht'.
  have [hm1 _] := hsides m hm; move: hm1; rewrite /polytope_sides; case: K hz => //= -[] //= ss hz hm1.
  by apply: hz; apply: nth_In.
have := farkas_sides one0 side_ws0 side_neg; set scaled_sides := [seq Z.mul one _ | _ <- _].
move=> /= hsum /(nowhere_negative_sound size_z domain_K hz).
have t0 : 0 < embed (below lowered_by) :> R by apply: embed_gt0.
have := ltr_le_add hrows hsum; rewrite addr0 addrACA => h3.
rewrite dotR_scale !dotR_combination dotR_zeros add0r embed_sub !embedM embedD embed_shiftl ?mul1r; last by lia.
rewrite -[embed _ * (_ + _)]mulrC addrA -mulrDl subr_ge0 -ler_pdivr_mulr // leNgt => /negP; apply.
by apply: lt_le_trans h3 _; rewrite /value_of mulrCA mulrA.
Qed.

Lemma row_numbers_exist d j : dependency_holds lowered_by l K d -> List.In j (row_numbers d) -> (j < size (rows l))%N.
Proof.
rewrite /dependency_holds /row_numbers tmapE; case ht: chosen => [terms|] // _ hj.
have [_ h] := chosenP (Row Z0 Z0 [::], false) ht; have [m hm ->] := In_map hj.
by have [] := h m hm; rewrite tmap2_pair size_zip marks_size minnn.
Qed.

Variables (x y : seq R).
Hypotheses (size_x : size x = n) (size_y : size y = n) (x_in : in_convex_domain n K x) (y_in : in_convex_domain n K y).
Hypothesis one_output : lowered_layer_at lowering l x = lowered_layer_at lowering l y.
Let r := difference x y.
Let same_size : size x = size y. Proof. by rewrite size_x size_y. Qed.

(* I1: a dependency that is accepted has a row that is 0 on the difference. *)
Theorem dependency_sound d : dependency_holds lowered_by l K d -> exists2 j, List.In j (row_numbers d) & vanishes r j.
Proof.
move=> hd; case: (boolP (has (vanishes r) (row_numbers d))) => [/hasP[j hj hv]|none]; first by exists j => //; apply/InP.
case: (dependency_not_negative hd (size_midpoint size_x size_y) (domain_midpoint size_x size_y x_in y_in)) => j hj.
have hjm := row_numbers_exist hd hj.
have hrow : List.In (numbered_row l j, nth false (rectified l) j) (zip (rows l) (rectified l)).
  by rewrite /numbered_row nthE; apply: zip_In_nth; rewrite ?marks_size.
case: (row_of_one_output same_size one_output hrow) => [h0|[_ //]].
by case/negP: none; apply/hasP; exists j; [apply/InP | rewrite /vanishes h0].
Qed.
End DependencySound.
