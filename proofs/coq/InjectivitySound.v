(* I2, I8: a case tree that is accepted proves the layer injective on all of R^n.  The tree splits by the signs of rows at a point;
   in a leaf the rows that are not negative have full rank, or multipliers show that no point has these signs. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import InjectivityChecks EntryVectors RankSound EvaluationSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section InjectivitySound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x y : seq R) (r : row).

(* the sign of a row at x, without its power of two *)
Definition affine x r : R := embed (constant r) + dotR (coefficients r) x.

(* the sum of w_i (c_i + a_i . x): its two parts, its sign if the rows are negative at x, or if they are not *)
Lemma sum_of_affine (ws : seq Z) (rs : seq row) x : size ws = size rs ->
  dots ws [seq coefficients r | r <- rs] x + embed (dot ws [seq constant r | r <- rs]) =
  \sum_(wr <- zip ws rs) embed wr.1 * affine x wr.2.
Proof.
rewrite embed_dot; elim: ws rs => [|w ws IH] [|r rs] //= => [_|[e]]; first by rewrite big_nil addr0.
rewrite big_cons -IH //= /affine mulrDr addrACA; congr (_ + _); by rewrite addrC.
Qed.
Lemma sum_of_negative (ws : seq Z) (rs : seq row) x : all (Z.leb Z0) ws -> (forall r, List.In r rs -> affine x r < 0) ->
  \sum_(wr <- zip ws rs) embed wr.1 * affine x wr.2 <= 0 /\
  (size ws = size rs -> has (Z.ltb Z0) ws -> \sum_(wr <- zip ws rs) embed wr.1 * affine x wr.2 < 0).
Proof.
elim: ws rs => [|w ws IH] [|r rs] /=; rewrite ?big_nil //.
case/andP=> w0 hw hr; rewrite big_cons /=.
have [h1 h2] := IH rs hw (fun r' h => hr r' (or_intror h)).
have hr0 := hr r (or_introl erefl).
have w0' : 0 <= embed w :> R by apply: embed_ge0; lia.
have t : embed w * affine x r <= 0 by rewrite mulr_ge0_le0 // ltW.
split; first by rewrite -[X in _ <= X]addr0 ler_add.
case=> e /orP[hlt|hh]; last by rewrite -[X in _ < X]addr0; apply: ler_lt_add t (h2 e hh).
rewrite -[X in _ < X]addr0; apply: ltr_le_add h1.
by rewrite pmulr_rlt0 //; apply: embed_gt0; lia.
Qed.
Lemma sum_of_nonnegative (ws : seq Z) (rs : seq row) x : all (Z.leb Z0) ws -> (forall r, List.In r rs -> 0 <= affine x r) ->
  0 <= \sum_(wr <- zip ws rs) embed wr.1 * affine x wr.2.
Proof.
elim: ws rs => [|w ws IH] [|r rs] /=; rewrite ?big_nil //.
case/andP=> w0 hw hr; rewrite big_cons /= addr_ge0 ?IH //; last by move=> r' h; apply: hr; right.
by rewrite mulr_ge0 ?hr //; [apply: embed_ge0; lia | left].
Qed.

(* Multipliers that are accepted prove that no point has these signs: nowhere are the one rows >= 0 and the others < 0. *)
Theorem no_point_sound n nonnegative negative ws x : no_point n nonnegative negative ws ->
  (forall r, List.In r nonnegative -> 0 <= affine x r) -> (forall r, List.In r negative -> affine x r < 0) -> False.
Proof.
rewrite /no_point split_atE !tmapE !forallbE existsbE is_zeroE !size_ofE.
set on := take _ _; set off := drop _ _.
case/andP=> /andP[/andP[/andP[/Nat.eqb_eq s1 /Nat.eqb_eq s2] hw] hz] hc hp hn.
have [hon hoff] : all (Z.leb Z0) on /\ all (Z.leb Z0) off by apply/andP; rewrite -all_cat cat_take_drop.
have h0 := dotR_zero x hz.
rewrite !dotR_combination dotR_zeros add0r dots_opp in h0.
have e1 := sum_of_affine x s1; have e2 := sum_of_affine x s2.
have P := sum_of_nonnegative hon hp; have [N1 N2] := sum_of_negative hoff hn.
rewrite -e1 in P; rewrite -e2 in N1 N2.
set T := Z.sub _ _ in hc.
have eT : embed T = embed (dot off [seq constant r | r <- negative]) - embed (dot on [seq constant r | r <- nonnegative]) :> R.
  by rewrite /T -embed_opp -embedD.
have hT : embed T = (dots off [seq coefficients r | r <- negative] x + embed (dot off [seq constant r | r <- negative]))
   - (dots on [seq coefficients r | r <- nonnegative] x + embed (dot on [seq constant r | r <- nonnegative])) :> R.
  rewrite eT -[LHS]add0r -h0; move: (dots on _ x) (dots off _ x) (embed (dot off _)) (embed (dot on _)) => a b c d; ring.
case/orP: hc => [/Z.ltb_lt h|/andP[/Z.leb_le h hpos]].
  have := embed_gt0 R h; rewrite hT subr_gt0 ltNge; case/negP; exact: le_trans N1 P.
have := embed_ge0 R h; rewrite hT subr_ge0 leNgt; case/negP; exact: lt_le_trans (N2 s2 hpos) P.
Qed.

(* At a point x, the tree ends in a leaf with a rank: rows that are not negative at x, and of full rank with those that always count. *)
Lemma tree_sound n all always t nonnegative negative x : tree_ok propose n all always nonnegative negative t ->
  (forall r, List.In r nonnegative -> List.In r all /\ 0 <= affine x r) -> (forall r, List.In r negative -> affine x r < 0) ->
  exists P ev b, [/\ check_rank propose n [seq General (layer_general true r) | r <- always ++ P] ev = Some b, rank_value ev = n
             & forall r, List.In r P -> List.In r all /\ 0 <= affine x r].
Proof.
elim: t nonnegative negative => [ev|ws|i t1 IH1 t2 IH2] pos neg /= ht hp hn.
- case/andP: ht => /Nat.eqb_eq hr; case e: check_rank => [b|] // _; exists pos, ev, b; split=> //.
  by rewrite -e tmapE [tmap _ (tapp _ _)]tmapE tappE -map_comp.
- by case: (no_point_sound ht (fun r h => proj2 (hp r h)) hn).
- move: ht; case e: List.nth_error => [r|] // /andP[h1 h2].
  have hr : List.In r all by apply: List.nth_error_In e.
  case: (lerP 0 (affine x r)) => hx.
    by apply: (IH2 _ _ h2) => // r' [<-|/hp].
  by apply: (IH1 _ _ h1) => // r' [<-|/hn].
Qed.

(* ---------- the midpoint and the difference of two points ---------- *)

Definition midpoint x y : seq R := [seq (u.1 + u.2) / 2%:R | u <- zip x y].
Definition difference x y : seq R := [seq u.1 - u.2 | u <- zip x y].
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

(* I2, I8: a case tree that is accepted proves the layer injective: for inputs x, y with one output, the rows that are not negative
   at their midpoint have full rank, and each is 0 at x - y. *)
Theorem layer_injective_sound l t : layer_injective propose l t ->
  forall x y, size x = inputs l -> size y = inputs l -> layer_at l x = layer_at l y -> x = y.
Proof.
case/andP=> hl ht x y sx sy he.
have sxy : size x = size y by rewrite sx sy.
case/andP: hl; rewrite !size_ofE forallbE => /Nat.eqb_eq sl /all_In hrow.
have d0 : forall j, nth 0 (difference x y) j = 0; last first.
  apply: (@eq_from_nth _ 0) => // j hj.
  have := d0 j; rewrite /difference (nth_map (0, 0)) ?size_zip -?sxy ?minnn // nth_zip //=.
  by move/eqP; rewrite subr_eq0 => /eqP.
have [//|//|P [ev [b [hb hev hP]]]] := tree_sound (x := midpoint x y) ht.
pose entries_of_rows P := [seq General (layer_general true r) | r <- pick [seq ~~ i | i <- rectified l] (rows l) ++ P].
have [hrk _] : \rank (entries_matrix R (inputs l) (entries_of_rows P)) = rank_value ev /\ block_size b = rank_value ev.
  rewrite tmapE in hb; apply: (check_rank_sound R _ hb).
  move=> e he'; case: (In_map he') => r hr -> /=; have h : List.In r (rows l); last by have := hrow r h; rewrite !size_ofE => /Nat.eqb_eq.
  case/In_cat: hr => [|/hP[]]; rewrite ?pickE => h; [exact: In_mask h | move=> _; exact: In_mask h].
have size_difference : size (difference x y) = inputs l by rewrite size_map size_zip sx sy minnn.
apply: (vector_of_eq0 size_difference); apply: (full_rank_zero (es := entries_of_rows P)); first by rewrite hrk.
move=> e he'; case: (In_map he') => r hr ->; rewrite entry_at_vector_of //= dotR_difference //.
have key : forall (marks : seq bool) (rs : seq row), size marks = size rs ->
   [seq (if rb.2 then Num.max 0 (row_at x rb.1) else row_at x rb.1) | rb <- zip rs marks] =
   [seq (if rb.2 then Num.max 0 (row_at y rb.1) else row_at y rb.1) | rb <- zip rs marks] ->
   (forall r, List.In r (mask [seq ~~ i | i <- marks] rs) -> row_at x r = row_at y r) /\
   (forall r, List.In r (mask marks rs) -> Num.max 0 (row_at x r) = Num.max 0 (row_at y r)).
  elim=> [|m marks IH] [|r0 rs] //= [e1] [e2] e3; have [h1 h2] := IH _ e1 e3.
  by case: m e2 => e2 /=; split=> // r' [<-|] //; auto.
have [k1 k2] := key _ _ sl he.
have half : dotR (coefficients r) x - dotR (coefficients r) y = affine x r - affine y r by rewrite /affine; ring.
rewrite half; apply/eqP; rewrite subr_eq0; apply/eqP.
case/In_cat: hr => [|/hP[hr hmid]]; rewrite ?pickE.
  by move/k1; rewrite /row_at => /(mulIf (two_neq0 R _)).
rewrite pickE in hr; have := k2 _ hr; rewrite /row_at -/(affine x r) -/(affine y r).
have t0 : 0 < two R (exponent r) by exact: two_gt0.
have S u : Num.max 0 (u * two R (exponent r)) = Num.max 0 u * two R (exponent r).
  case: (lerP 0 u) => hu; first by rewrite max_r // mulr_ge0 // ltW.
  by rewrite max_l ?mul0r // mulr_le0_ge0 // ltW.
rewrite !S => /(mulIf (two_neq0 R _)).
move: hmid; rewrite /affine dotR_midpoint //.
set B := embed (constant r); move: (dotR (coefficients r) x) (dotR (coefficients r) y) => p p'.
have -> : B + (p + p') / 2%:R = ((B + p) + (B + p')) / 2%:R.
  have t2 : 2%:R != 0 :> R by rewrite pnatr_eq0.
  by field.
rewrite pmulr_lge0 ?invr_gt0 ?ltr0n //.
move: (B + p) (B + p') => u v hs.
case: (lerP u 0) => hu; case: (lerP v 0) => hv e' //.
- have u0 : u = 0 by apply/eqP; rewrite eq_le hu /= -(ler_add2r v) add0r (le_trans hv).
  have v0 : v = 0 by apply/eqP; rewrite eq_le hv /= -(ler_add2l u) addr0 (le_trans hu).
  by rewrite u0 v0.
- by move: hv; rewrite -e' ltxx.
- by move: hu; rewrite e' ltxx.
Qed.
End InjectivitySound.
