(* Blocks of layers that are accepted are injective (I14, the residual certificate): inputs x and y of a block, at most m apart in every
   coordinate, have values of every coordinate inside it that differ by l.(x - y) and at most r m more; at the end some coordinate, or a
   combination of them, carries an input at which x and y are m apart by more than r and what it carries else. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Claims InjectivityClaims Systems.
From ExactRelu Require Import EvaluationSound InverseSound Echelon InjectivityChecks DependencySound SkipChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Skips.
Variable R : realFieldType.
Implicit Types (x y : seq R) (c : carried).

(* A relu lengthens no distance. *)
Lemma relu_shortens (s t : R) : `|Num.max 0 s - Num.max 0 t| <= `|s - t|.
Proof.
case: (lerP 0 s) => s0; case: (lerP 0 t) => t0 //.
- rewrite subr0 ger0_norm //; apply: le_trans (ler_norm _); by rewrite ler_addl oppr_ge0 ltW.
- rewrite sub0r normrN ger0_norm // distrC; apply: le_trans (ler_norm _); by rewrite ler_addl oppr_ge0 ltW.
- by rewrite subrr normr0.
Qed.

Section Block.
(* a difference of two inputs of a block, and how large it is *)
Variables (d : seq R) (m : R).
Hypotheses (m0 : 0 <= m) (d_small : forall j, `|nth 0 d j| <= m).

(* values s and t of a coordinate, up to the factor a > 0 *)
Definition stands (a s t : R) c : Prop := `|a * (s - t) - dotR (form_carried c) d| <= embed (bound_of_rest c) * m.

Lemma after_relu_stands a s t relu c : 0 < a -> stands a s t c ->
  stands a (if relu then Num.max 0 s else s) (if relu then Num.max 0 t else t) (after_relu relu c).
Proof.
case: relu => // a0; rewrite /stands /= subr0 => h.
have -> : `|a * (Num.max 0 s - Num.max 0 t)| = a * `|Num.max 0 s - Num.max 0 t| by rewrite normrM gtr0_norm.
have h1 := ler_wpmul2l (ltW a0) (relu_shortens s t); apply: le_trans h1 _.
rewrite -[X in X * `|_|](gtr0_norm a0) -normrM -[a * (s - t)](subrK (dotR (form_carried c) d)) embedD mulrDl.
apply: le_trans (ler_norm_add _ _) _; apply: ler_add => //; exact: dotR_le_sum_abs.
Qed.

Lemma shifted_stands a s t e c : Z.le 0 e -> stands a s t c -> stands (a * two R e) s t (shifted e c).
Proof.
move=> he; rewrite /stands /= embed_shiftl // tmapE.
have -> : dotR [seq Z.shiftl u e | u <- form_carried c] d = two R e * dotR (form_carried c) d.
  by elim: (form_carried c) (d) => [|u l IH] [|v z] /=; rewrite ?mulr0 // IH embed_shiftl // mulrDr mulrA; congr (_ * _ + _); exact: mulrC.
have e0 := two_gt0 R e; have -> : a * two R e * (s - t) - two R e * dotR (form_carried c) d =
    two R e * (a * (s - t) - dotR (form_carried c) d) by ring.
move=> h; rewrite normrM (gtr0_norm e0) [X in _ <= X](_ : _ = two R e * (embed (bound_of_rest c) * m)); last by ring.
by rewrite ler_pmul2l.
Qed.

(* the coordinates of two vectors *)
Definition all_stand a (xs ys : seq R) cs : Prop :=
  [/\ size xs = size cs, size ys = size cs & forall s t c, List.In ((s, t), c) (zip (zip xs ys) cs) -> stands a s t c].

Lemma dotR_stands a xs ys cs ws : all_stand a xs ys cs ->
  `|a * (dotR ws xs - dotR ws ys) - dots ws [seq form_carried c | c <- cs] d|
    <= embed (dot [seq Z.abs w | w <- ws] [seq bound_of_rest c | c <- cs]) * m.
Proof.
case; elim: ws xs ys cs => [|w ws IH] [|s xs] [|t ys] [|c cs] //=; rewrite ?subrr ?mulr0 ?subr0 ?normr0 ?mul0r // => -[hx] [hy] h.
have {IH}h1 := IH xs ys cs hx hy (fun s t c hc => h s t c (or_intror hc)); have h2 := h s t c (or_introl erefl).
rewrite dot_cons embedD embedM embed_abs mulrDl -mulrA.
have -> : a * (embed w * s + dotR ws xs - (embed w * t + dotR ws ys)) -
    (embed w * dotR (form_carried c) d + dots ws (map form_carried cs) d) =
    embed w * (a * (s - t) - dotR (form_carried c) d) + (a * (dotR ws xs - dotR ws ys) - dots ws (map form_carried cs) d).
  by move: (dotR ws xs) (dotR ws ys) (dotR (form_carried c) d) (dots _ _ _) (embed w) => A B C D v; ring.
by apply: le_trans (ler_norm_add _ _) _; apply: ler_add => //; rewrite normrM ler_wpmul2l.
Qed.
End Block.

Lemma row_at_difference (xs ys : seq R) r :
  row_at xs r - row_at ys r = (dotR (coefficients r) xs - dotR (coefficients r) ys) * two R (exponent r).
Proof. by rewrite /row_at; move: (dotR _ xs) (dotR _ ys) (embed _) (two _ _) => s t b e; ring. Qed.

(* the inputs of a block, or the coordinates that its layers so far make of them *)
Definition begun x y (xs ys : seq R) (before : option (seq carried)) : Prop :=
  match before with
  | None => xs = x /\ ys = y
  | Some cs => forall m, 0 <= m -> (forall j, `|nth 0 (difference x y) j| <= m) ->
      exists2 a, 0 < a & all_stand (difference x y) m a xs ys cs
  end.

Lemma layer_begun x y xs ys before l : size x = size y -> size (rectified l) = size (rows l) -> begun x y xs ys before ->
  begun x y (layer_at l xs) (layer_at l ys) (Some (carried_by_layer before l)).
Proof.
move=> hs hmarks hb m m0 hm; have [low0 hlow] := @fold_min _ exponent (rows l) Z0; rewrite -/(lowest_exponent _) in low0 hlow.
have [a a0 hrow] : exists2 a, 0 < a & forall r, List.In r (rows l) ->
    stands (difference x y) m (a * two R (Z.opp (exponent r))) (row_at xs r) (row_at ys r) (carried_by_row before r).
  have e2 r (s : R) : two R (Z.opp (exponent r)) * (s * two R (exponent r)) = s.
    by rewrite mulrCA -two_add Z.add_opp_diag_l mulr1.
  case: before hb => [cs /(_ m m0 hm)[a a0 hcs]|[-> ->]]; [exists a => // r _ | exists 1; rewrite ?ltr01 // => r _];
    rewrite /stands row_at_difference -mulrA e2.
    by have := dotR_stands (coefficients r) hcs; rewrite /= dotR_combination add0r !tmapE.
  by rewrite /= mul0r dotR_difference // mul1r subrr normr0.
exists (a * two R (Z.opp (lowest_exponent (rows l)))); first by rewrite mulr_gt0 ?two_gt0.
have size_cs : size (carried_by_layer before l) = size (rows l) by apply: size_tmap2.
have size_at z : size (layer_at l z) = size (rows l) by rewrite size_map size_zip hmarks minnn.
split; rewrite ?size_at ?size_cs // => s t c; rewrite /layer_at /carried_by_layer tmap2E !zip_map => h.
have [[r relu] /In_zip[/= hr _] [-> -> ->]] := In_map h.
have e0 : Z.le 0 (Z.sub (exponent r) (lowest_exponent (rows l))) by have := hlow r hr; lia.
have := shifted_stands e0 (hrow r hr); rewrite -mulrA -two_add.
have -> : Z.add (Z.opp (exponent r)) (Z.sub (exponent r) (lowest_exponent (rows l))) = Z.opp (lowest_exponent (rows l)) by lia.
by move/(after_relu_stands m0 hm relu); apply; rewrite mulr_gt0 ?two_gt0.
Qed.

(* ---------- the end of a block ---------- *)

Lemma leading_entryP k a i u : leading_entry k a = Some (i, u) ->
  [/\ (k <= i)%N, nth Z0 a (i - k) = u & forall j, nth Z0 a j <> Z0 -> j = (i - k)%N \/ Z.lt (Z.abs u) (sum_abs a)].
Proof.
elim: a k => [|v a IH] k //=; rewrite sum_abs_cons; case: Z.eqb_spec => [->|v0 [<- <-]].
  move/IH=> [hk hn hs]; rewrite -(subnSK hk); split=> //; first exact: ltnW.
  by case=> [|j] //= /hs[->|]; [left | right; lia].
rewrite leqnn subnn; split=> // -[|j] /= hj; [by left | right].
suff : Z.lt 0 (sum_abs a) by lia.
elim: a j hj {IH} => [|w a IH] [|j] //=; rewrite sum_abs_cons; last by move/IH; lia.
by have := @sum_abs_ge0 a; lia.
Qed.

Lemma largest_entry (d : seq R) :
  exists2 m, 0 <= m /\ (forall j, `|nth 0 d j| <= m) & m = 0 \/ exists2 j, (j < size d)%N & `|nth 0 d j| = m.
Proof.
elim: d => [|v d [m [m0 hm] hj]]; first by exists 0; [split=> // j; rewrite nth_nil normr0 | left].
exists (Num.max m `|v|); first by split=> [|[|j]] /=; rewrite le_maxr ?m0 ?hm ?lexx ?orbT.
case: (lerP `|v| m) => hv; last by right; exists 0%N.
by case: hj => [->|[j hj <-]]; [left | right; exists j.+1].
Qed.

(* Inputs at which the coordinates that a block ends with are the same are equal. *)
Lemma keeps_apart_sound n cs x y xs : size x = n -> size y = n -> begun x y xs xs (Some cs) -> keeps_apart n cs -> x = y.
Proof.
move=> hx hy hb /andP[_]; rewrite forallbE => /all_In hall; have hs : size x = size y by rewrite hx.
apply: difference_zero => //; set d := difference x y; have sd : size d = n by apply: size_difference.
have [m [m0 hm] hlargest] := largest_entry d; have [m00 k|mn0] := eqVneq m 0.
  by apply/eqP; rewrite -normr_le0; have := hm k; rewrite m00.
have mpos : 0 < m by rewrite lt_neqAle eq_sym mn0.
case: hlargest => [m00|[j hj ej] k]; first by rewrite m00 eqxx in mn0.
have [a a0 [hsx _ hcs]] := hb m m0 hm.
have /hall : List.In j (List.seq 0 n) by apply/List.in_seq; lia.
case/List.existsb_exists=> o []; rewrite tmapE => ho; have [c hc ->] := In_map ho.
rewrite /outweighs; case hl: leading_entry => [[i u]|] //; case: ifP => // /andP[/Z.eqb_eq hsum /Z.ltb_lt hlt] /Nat.eqb_eq hi.
have [_ hn honly] := leading_entryP hl; rewrite subn0 hi in hn honly.
have [s hin] : exists s, List.In ((s, s), c) (zip (zip xs xs) cs).
  elim: cs xs hsx hc {hb hcs ho hall} => [|c' cs IH] [|s xs] //= [hsx] [->|hc]; first by exists s; left.
  by have [t ht] := IH xs hsx hc; exists t; right.
have := hcs s s c hin; rewrite /stands subrr mulr0 sub0r normrN.
have -> : dotR (form_carried c) d = embed u * nth 0 d j.
  have hjn : (j < n)%N by rewrite -sd.
  rewrite (dotR_sum _ sd) (bigD1 (Ordinal hjn)) //= hn big1 ?addr0 // => i' /eqP ne.
  case: (Z.eqb_spec (nth Z0 (form_carried c) i') 0) => [->|/honly[e|]]; rewrite ?mul0r //; last by lia.
  by case: ne; apply: val_inj.
rewrite normrM ej -embed_abs ler_pmul2r // embed_leE; lia.
Qed.

(* an entry of a sum, and the others *)
Lemma dotR_others (l : seq Z) (d : seq R) m j : 0 <= m -> (forall k, `|nth 0 d k| <= m) ->
  `|dotR l d - embed (nth Z0 l j) * nth 0 d j| + `|embed (nth Z0 l j)| * m <= embed (sum_abs l) * m.
Proof.
move=> m0; elim: l d j => [|u l IH] d j hm; first by rewrite /= nth_nil mul0r subr0 !normr0 mul0r addr0.
have hm' k : `|nth 0 (behead d) k| <= m by have := hm k.+1; case: (d) => //=; rewrite nth_nil.
have -> : dotR (u :: l) d = embed u * nth 0 d 0 + dotR l (behead d) by case: (d) => [|v y] /=; rewrite ?mulr0 ?dotR_nil ?addr0.
rewrite sum_abs_cons embedD mulrDl embed_abs; case: j => [|j] /=.
  by rewrite addrAC subrr add0r addrC ler_add2l; apply: dotR_le_sum_abs.
have -> : nth 0 d j.+1 = nth 0 (behead d) j by case: (d) => //=; rewrite nth_nil.
rewrite -addrA; apply: le_trans (ler_add (ler_norm_add _ _) (lexx _)) _; rewrite -addrA; apply: ler_add; last exact: IH.
by rewrite normrM ler_wpmul2l.
Qed.
Lemma inverts_sound n cs inverse x y xs : size x = n -> size y = n -> begun x y xs xs (Some cs) -> inverts n cs inverse -> x = y.
Proof.
move=> hx hy hb /andP[/andP[_ /Nat.eqb_eq hi] hall]; rewrite size_ofE in hi; have hs : size x = size y by rewrite hx.
apply: difference_zero => //; set d := difference x y; have sd : size d = n by apply: size_difference.
have [m [m0 hm] hlargest] := largest_entry d; have [m00 k|mn0] := eqVneq m 0.
  by apply/eqP; rewrite -normr_le0; have := hm k; rewrite m00.
have mpos : 0 < m by rewrite lt_neqAle eq_sym mn0.
case: hlargest => [m00|[j hj ej] k]; first by rewrite m00 eqxx in mn0.
have [a a0 hcs] := hb m m0 hm; rewrite sd in hj.
have hseq : List.seq 0 n = iota 0 n by elim: (n) 0%N => //= q IH b; rewrite IH.
rewrite hseq in hall; have /(all_tmap2 [::] 0%N _ hi (size_iota 0 n))/(_ j hj) := hall; rewrite nth_iota // add0n.
rewrite /singles_out !tmapE; set v := nth _ inverse j => /Z.ltb_lt hlt.
have := dotR_stands v hcs; rewrite subrr mulr0 sub0r normrN -[dots _ _ _]add0r.
have -> : 0 + dots v [seq form_carried c | c <- cs] d = dotR (combination v [seq form_carried c | c <- cs] [::]) d.
  by rewrite dotR_combination.
move: hlt; set l := combination _ _ _; set r := dot _ _; rewrite /= nthE => hlt hr.
have := dotR_others l j m0 hm; rewrite leNgt => /negP[].
have r0 : 0 <= embed r :> R by rewrite -(pmulr_lge0 _ mpos); apply: le_trans hr.
have c0 : Z.lt 0 (nth Z0 l j) by rewrite leNgt embed_lt0 in r0; have := @sum_abs_ge0 l; lia.
have hcd : `|embed (nth Z0 l j) * nth 0 d j| = embed (nth Z0 l j) * m by rewrite normrM ej gtr0_norm ?embed_gt0.
have /(ler_add hr) := ler_sub_dist (embed (nth Z0 l j) * nth 0 d j) (dotR l d); rewrite hcd distrC addrCA subrr addr0 => hle.
have /(embed_lt R) : Z.ltb (Z.add (sum_abs l) r) (Z.mul 2 (nth Z0 l j)) by apply/Z.ltb_lt.
have -> : Z.mul 2 (nth Z0 l j) = Z.add (nth Z0 l j) (nth Z0 l j) by lia.
rewrite !embedD -(ltr_pmul2r mpos) !mulrDl => hlt'; rewrite (gtr0_norm (embed_gt0 R c0)).
rewrite -(ltr_add2l (embed r * m)) [X in X < _]addrC; apply: lt_le_trans hlt' _; by rewrite addrA ler_add2r.
Qed.

(* ---------- all blocks ---------- *)

(* I14: blocks that are accepted, one of which may have begun, take different inputs to different outputs. *)
Theorem blocks_ok_sound n number ends inverses before ls x y xs ys : size x = n -> size y = n -> widths_agree (size xs) ls ->
  size xs = size ys -> begun x y xs ys before -> blocks_ok n number ends inverses before ls -> layers_at ls xs = layers_at ls ys -> x = y.
Proof.
move=> hx hy; elim: ls number ends inverses before x y xs ys hx hy => [|l ls IH] number [|last ends] inverses before x y xs ys hx hy //=.
  by case: before inverses => [?|] [|? ?] // _ _ [<- <-] _.
move=> [hin hmarks hwidths hw] hs hb hok he; rewrite /layers_at /= in he.
have hb' := layer_begun (etrans hx (esym hy)) hmarks hb.
have size_at z : size (layer_at l z) = size (rows l) by rewrite size_map size_zip hmarks minnn.
case: ifP hok => [_|_ hrest]; last by apply: IH hrest he; rewrite ?size_at.
have rest inverses' : size (carried_by_layer before l) = n -> blocks_ok n number.+1 ends inverses' None ls -> layer_at l xs = layer_at l ys.
  rewrite /carried_by_layer (size_tmap2 _ (n := size (rows l))) // => hn hrest; by apply: IH hrest he; rewrite ?size_at.
have apart inverses' : keeps_apart n (carried_by_layer before l) && blocks_ok n number.+1 ends inverses' None ls -> x = y.
  case/andP=> hk hrest; have e := rest inverses' _ hrest; case/andP: (hk) => /Nat.eqb_eq; rewrite size_ofE => /e{}e _.
  by rewrite -e in hb'; apply: keeps_apart_sound hx hy hb' hk.
case: inverses => [|[block inverse] inverses]; first exact: apart.
case: ifP => _; last exact: apart.
case/andP=> hk hrest; have e := rest inverses _ hrest; case/andP: (hk) => /andP[/Nat.eqb_eq]; rewrite size_ofE => /e{}e _ _.
by rewrite -e in hb'; apply: inverts_sound hx hy hb' hk.
Qed.
End Skips.
