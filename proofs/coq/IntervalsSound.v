(* I10: bounds that are computed for what layers make of a domain hold: a sum a.x over intervals is at least that of the ends which
   the signs of a name, and over a ball it is at least -|a| times the radius (Cauchy and Schwarz). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts Claims InjectivityClaims Systems.
From ExactRelu Require Import InjectivityChecks EvaluationSound EmptySound ConvexDomains FormsOnBalls RegionTree RegionTreeSound.
From ExactRelu Require Import IntervalChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Intervals.
Variable R : realFieldType.
Implicit Types (x : seq R) (u v : quotient) (i : interval) (ends : seq interval).

(* ---------- quotients ---------- *)

Definition number_of u : R := embed u.1 / embed u.2.
Definition is_quotient u : Prop := Z.lt 0 u.2.
Lemma below_neq0 u : is_quotient u -> embed u.2 != 0 :> R.
Proof. by move/(embed_gt0 R)/lt0r_neq0. Qed.

Lemma add_quotientsP u v : is_quotient u -> is_quotient v ->
  is_quotient (add_quotients u v) /\ number_of (add_quotients u v) = number_of u + number_of v.
Proof.
case: u v => [a b] [c d] hu hv; have := below_neq0 hu; have := below_neq0 hv; rewrite /add_quotients /is_quotient /number_of /=.
case: Z.eqb_spec => [e|_] /= d0 b0; rewrite !embedD !embedM; last first.
  by split; [rewrite /is_quotient /= in hu hv *; lia | rewrite addf_div].
have eb : embed b = embed (Z.div b d) * embed d :> R by rewrite -embedM e.
split=> //; rewrite mulrDl; congr (_ + _); rewrite eb invfM mulrA mulfK //.
by apply: contraNneq b0; rewrite eb => ->; rewrite mul0r.
Qed.
Lemma lessP u v : is_quotient u -> is_quotient v -> less u v = (number_of u < number_of v).
Proof.
move=> hu hv; rewrite /less /number_of ltr_pdivr_mulr ?embed_gt0 // mulrAC ltr_pdivl_mulr ?embed_gt0 //.
by rewrite -!embedM -subr_gt0 -embed_sub embed_gt0E; apply/Z.ltb_spec0/Z.ltb_spec0; lia.
Qed.
Lemma number_times c u : number_of (times c u) = embed c * number_of u.
Proof. by rewrite /number_of /times /= embedM mulrA. Qed.

(* ---------- intervals ---------- *)

Definition above_end (u : option quotient) (t : R) : Prop := if u is Some u then is_quotient u /\ number_of u <= t else True.
Definition below_end (u : option quotient) (t : R) : Prop := if u is Some u then is_quotient u /\ t <= number_of u else True.
Definition within i (t : R) : Prop := above_end i.1 t /\ below_end i.2 t.
Definition all_within ends x : Prop := forall j, within (nth (None, None) ends j) (nth 0 x j).

Lemma least_sound sum a ends x u : is_quotient sum -> all_within ends x -> least sum a ends = Some u ->
  is_quotient u /\ number_of u <= number_of sum + dotR a x.
Proof.
elim: a ends x sum => [|c a IH] [|[low high] ends] x sum hs hx //=; try by case=> <-; rewrite /= addr0.
have hx' : all_within ends (behead x) by move=> j; have := hx j.+1; case: (x) => //=; rewrite nth_nil.
have hdot : embed c * nth 0 x 0 + dotR a (behead x) = dotR (c :: a) x.
  by case: (x) => [|t y] //=; rewrite mulr0 dotR_nil addr0.
have [h1 h2] := hx 0%N; rewrite /= in h1 h2; rewrite -[if x is _ :: _ then _ else _]/(dotR (c :: a) x) -hdot.
case: Z.eqb_spec => [->|c0]; first by rewrite mul0r add0r; apply: IH.
have step v : is_quotient v -> embed c * number_of v <= embed c * nth 0 x 0 -> least (add_quotients sum (times c v)) a ends = Some u ->
    is_quotient u /\ number_of u <= number_of sum + (embed c * nth 0 x 0 + dotR a (behead x)).
  move=> hv hle hl; have [hq e] := add_quotientsP hs (hv : is_quotient (times c v)).
  have [hu h] := IH _ _ _ hq hx' hl; split=> //; apply: le_trans h _; rewrite e number_times addrA.
  by rewrite !ler_add2r ler_add2l.
case: Z.ltb_spec => hc.
  by case: low {hx} h1 => // v [hv h]; apply: step => //; apply: ler_wpmul2l => //; apply: embed_ge0; lia.
case: high {hx} h2 => // v [hv h]; apply: step => //; apply: ler_wnmul2l => //.
by rewrite embed_le0; apply/Z.leb_le; lia.
Qed.


(* a row, times 1 or -1 *)
Lemma dotR_sign sign (a : seq Z) x : dotR (tmap (Z.mul sign) a) x = embed sign * dotR a x.
Proof. by rewrite tmapE dotR_scale. Qed.
Lemma scaled_row (u : quotient) e (t : R) : is_quotient u -> number_of u <= t ->
  is_quotient (Z.mul u.1 (up e), Z.mul u.2 (down e)) /\ number_of (Z.mul u.1 (up e), Z.mul u.2 (down e)) <= t * two R e.
Proof.
move=> hu h; have [e2 [u0 d0]] := two_up_down R e; split; first by rewrite /is_quotient /=; apply: Z.mul_pos_pos.
by rewrite /number_of /= !embedM -mulf_div -e2 ler_pmul2r ?two_gt0.
Qed.
Lemma least_of_row_sound sign ends r x u : all_within ends x -> least_of_row sign ends r = Some u ->
  is_quotient u /\ number_of u <= embed sign * row_at x r.
Proof.
move=> hx; rewrite /least_of_row; case hl: least => [v|] //= [<-].
have [hv h] := least_sound (erefl : is_quotient (Z.mul sign (constant r), Zpos xH)) hx hl.
rewrite /row_at mulrA; apply: scaled_row => //; apply: le_trans h _; rewrite dotR_sign mulrDr ler_add2r.
by rewrite /number_of /= embedM embed1 divr1.
Qed.

(* ---------- layers ---------- *)

Lemma above_at_least_zero u (t : R) : is_quotient u -> number_of u <= t ->
  is_quotient (at_least_zero u) /\ number_of (at_least_zero u) <= Num.max 0 t.
Proof.
move=> hu h; rewrite /at_least_zero lessP //; have e : number_of zero = 0 by rewrite /number_of mul0r.
by case: ifP => _; split=> //; rewrite le_maxr ?e ?lexx // h orbT.
Qed.
Lemma below_at_least_zero u (t : R) : is_quotient u -> t <= number_of u ->
  is_quotient (at_least_zero u) /\ Num.max 0 t <= number_of (at_least_zero u).
Proof.
move=> hu h; rewrite /at_least_zero lessP //; have e : number_of zero = 0 by rewrite /number_of mul0r.
case: ltP => hc; split=> //; rewrite le_maxl; last by rewrite -{1}e hc.
by rewrite e lexx (le_trans h) // -e ltW.
Qed.
Lemma rectified_within relu i (t : R) : within i t -> within (rectified_interval relu i) (if relu then Num.max 0 t else t).
Proof.
case: relu i => // -[low high] [h1 h2]; split=> /=; last by case: high h2 {h1} => //= u [hu h]; apply: below_at_least_zero.
case: low h1 {h2} => [u [hu h]|_]; first exact: above_at_least_zero.
by split=> //; rewrite /number_of mul0r le_maxr lexx.
Qed.

(* A bound for every row bounds the layer's outputs. *)
Lemma ends_of_layer_sound l of_row x : (forall sign r u, List.In r (rows l) -> sign = Zpos xH \/ sign = Zneg xH ->
    of_row sign r = Some u -> is_quotient u /\ number_of u <= embed sign * row_at x r) ->
  all_within (ends_of_layer l of_row) (layer_at l x).
Proof.
move=> h; rewrite /ends_of_layer /layer_at tmap2E => j.
have [hj|hj] := ltnP j (size (zip (rows l) (rectified l))); last by rewrite !nth_default ?size_map.
pose d : row * bool := (Row Z0 Z0 [::], false); rewrite !(nth_map d) //.
have : List.In (nth d (zip (rows l) (rectified l)) j) (zip (rows l) (rectified l)) by apply: nth_In.
case: (nth d _ j) => r relu /In_zip[/= hr _]; apply: rectified_within; split=> /=.
  by case hl: of_row => [u|] //=; have := h _ _ _ hr (or_introl erefl) hl; rewrite mul1r.
case hl: of_row => [u|] //=; have [hu hle] := h _ _ _ hr (or_intror erefl) hl; split=> //.
by rewrite number_times -[X in X <= _]opprK mulN1r ler_opp2; rewrite mulN1r in hle.
Qed.

(* ---------- the domain ---------- *)

Lemma within_nothing (t : R) : within (None, None) t. Proof. by []. Qed.
Lemma all_within_nseq i m x : (forall j, within i (nth 0 x j)) -> all_within (nseq m i) x.
Proof. by move=> h j; rewrite nth_nseq; case: ifP. Qed.

(* the ends that a side says of the coordinate that it speaks of *)
Lemma ends_by_side_sound b a x : embed b + dotR a x <= 0 -> all_within (ends_by_side b a) x.
Proof.
elim: a x => [|c a IH] x hx j; first by rewrite nth_nil.
have hdot : dotR (c :: a) x = embed c * nth 0 x 0 + dotR a (behead x) by case: (x) => [|t y] //=; rewrite mulr0 dotR_nil addr0.
rewrite hdot in hx; rewrite [ends_by_side _ _]/=; case: Z.eqb_spec hx => [->|c0] hx.
  case: j => [|j] /=; first exact: within_nothing.
  have := IH (behead x) _ j; rewrite mul0r add0r in hx; by case: (x) hx => [|t y] /= hx h; have := h hx; rewrite ?nth_nil.
case: ifP => [|_]; last by rewrite nth_nil.
rewrite is_zeroE => /(dotR_zero (behead x)) a0; rewrite a0 addr0 in hx.
case: j => [|j] /=; last first.
  rewrite tmapE; have [hj|hj] := ltnP j (size a); first by rewrite (nth_map Z0) //; apply: within_nothing.
  by rewrite nth_default ?size_map //; apply: within_nothing.
case: Z.ltb_spec => hc; split=> //=; rewrite /is_quotient /number_of /=; split; try lia.
  by rewrite ler_pdivl_mulr ?embed_gt0 // embed_opp -subr_le0 opprK addrC [_ * embed c]mulrC.
have c1 : 0 < embed (Z.opp c) :> R by apply: embed_gt0; lia.
by rewrite ler_pdivr_mulr // embed_opp mulrN -subr_le0 opprK mulrC.
Qed.

Lemma nth_narrower first second j : nth (None, None) (narrower first second) j =
  (largest (nth (None, None) first j).1 (nth (None, None) second j).1, smallest (nth (None, None) first j).2 (nth (None, None) second j).2).
Proof.
elim: first second j => [|i f IH] [|k s] [|j] //=.
- by case: k => [[u|] [v|]].
- by case: (nth _ s j) => [[u|] [v|]].
- by case: i => [[u|] [v|]].
- by case: (nth _ f j) => [[u|] [v|]].
Qed.
Lemma narrower_within first second x : all_within first x -> all_within second x -> all_within (narrower first second) x.
Proof.
move=> h1 h2 j; rewrite nth_narrower; have [a1 b1] := h1 j; have [a2 b2] := h2 j; move: a1 b1 a2 b2.
case: (nth _ first j) => l1 u1; case: (nth _ second j) => l2 u2 /= a1 b1 a2 b2; split=> /=.
  by case: l1 a1 => [u|] //; case: l2 a2 => [v|] //= a2 a1; case: ifP.
by case: u1 b1 => [u|] //; case: u2 b2 => [v|] //= b2 b1; case: ifP.
Qed.

Lemma ends_of_sound n K x : is_domain n K -> size x = n -> in_domain n K x -> all_within (ends_of n K) x.
Proof.
case: K => [|||sides] /=; rewrite ?repeat_ontoE ?cats0.
- by move=> _ _ _; apply: all_within_nseq.
- move=> _ hx h; apply: all_within_nseq => j; split=> //=; split=> //; rewrite /number_of mul0r.
  by have [/h|hj] := ltnP j n; rewrite // nth_default // hx.
- move=> lo hi [[hlo slo] [hhi shi]] hx h j; rewrite tmap2E.
  have [hj|hj] := ltnP j n; last by rewrite nth_default // size_map size_zip slo shi minnn.
  rewrite (nth_map (Z0, Z0)) ?size_zip ?slo ?shi ?minnn // nth_zip ?slo //; have := h j hj.
  by rewrite !nth_rational => /andP[h1 h2]; split; split.
- move=> hK hx h; have: all_within (nseq n (None, None)) x by apply: all_within_nseq.
  elim: sides (nseq n _) h {hK} => [|s sides IH] ends h he //=; apply: IH => [s' hs|]; first by apply: h; right.
  by apply: narrower_within he _; apply: ends_by_side_sound; apply: h; left.
Qed.

Section Oracles.
Variables (root_above : Z -> Z) (domain_of : seq interval -> domain).

Lemma least_on_ball_sound n D N sign r x u : size x = n -> size (coefficients r) = n -> is_convex_domain n (Ball D N) ->
  in_convex_domain n (Ball D N) x -> sign = Zpos xH \/ sign = Zneg xH -> least_on_ball root_above D N sign r = Some u ->
  is_quotient u /\ number_of u <= embed sign * row_at x r.
Proof.
move=> hx hr hK cx hsign; rewrite /least_on_ball; set v := Z.shiftl (Z.mul _ _) _; set s := root_above v.
case: ifP => // /andP[/Z.leb_le s0 /Z.leb_le hs] [<-]; set E := Z.shiftl D ball_bits.
have hD : Z.lt 0 D by case: hK.
have hE : E = Z.mul D (Z.pow 2 64) by rewrite /E Z.shiftl_mul_pow2.
clearbody E.
have hv : v = Z.mul (Z.mul (Z.mul N N) (dot (coefficients r) (coefficients r))) (Z.pow 2 128) by rewrite /v Z.shiftl_mul_pow2.
have E0 : Z.lt 0 E by rewrite hE; lia.
have hscale : nowhere_negative (Ball D N) [seq Z.mul (Z.mul sign E) w | w <- coefficients r] s.
  rewrite /nowhere_negative; apply/andP; split; apply/Z.leb_le => //.
  have -> : dot [seq Z.mul (Z.mul sign E) w | w <- coefficients r] [seq Z.mul (Z.mul sign E) w | w <- coefficients r] =
      Z.mul (Z.mul E E) (dot (coefficients r) (coefficients r)).
    rewrite !dotE; elim: (coefficients r) => [|w a IH] /=; first by lia.
    by rewrite IH; case: hsign => ->; lia.
  suff : Z.le (Z.mul (Z.mul D D) v) (Z.mul (Z.mul D D) (Z.mul s s)) by rewrite hv hE; lia.
  by apply: Z.mul_le_mono_nonneg_l => //; lia.
have h := nowhere_negative_sound hx hK cx hscale; rewrite dotR_scale embedM in h.
have e0 := embed_gt0 R E0.
pose at_x : R := embed sign * (embed (constant r) + dotR (coefficients r) x).
have [|h1 h2] := @scaled_row (Z.sub (Z.mul (Z.mul sign (constant r)) E) s, E) (exponent r) at_x E0.
  rewrite /at_x /number_of /= ler_pdivr_mulr // embed_sub !embedM -subr_ge0.
  move: h; move: (dotR _ x) (embed sign) (embed E) (embed s) (embed (constant r)) => d g e t c h.
  by apply: le_trans h _; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
by split=> //; rewrite /row_at mulrA.
Qed.

(* ---------- what is reached ---------- *)

Definition is_reach n (reached : reach) : Prop := if reached is InDomain K then is_convex_domain n K else True.
Definition reaches n (reached : reach) x : Prop :=
  match reached with InDomain K => in_convex_domain n K x | InIntervals ends => all_within ends x end.

(* I10: what a layer makes of all that reaches it lies in the intervals that are computed. *)
Theorem ends_after_sound n reached l x : inputs l = n -> (forall r, List.In r (rows l) -> size (coefficients r) = inputs l) ->
  is_reach n reached -> size x = n -> reaches n reached x -> all_within (ends_after root_above reached l) (layer_at l x).
Proof.
move=> hn hwidths hK hx h; apply: ends_of_layer_sound => sign r u hr hsign.
have hs := hwidths r hr; rewrite hn in hs.
case: reached hK h => [[K|D N]|ends] hK h; last exact: least_of_row_sound h.
  by apply: least_of_row_sound; rewrite hn; apply: ends_of_sound h.
exact: least_on_ball_sound hx hs hK h hsign.
Qed.
(* I10: all that is reached lies in an image that is accepted. *)
Theorem image_sound n reached K : image domain_of n reached = Some K ->
  is_domain n K /\ forall x, size x = n -> reaches n reached x -> in_domain n K x.
Proof.
case: reached => // ends /=; case: ifP => // /andP[hK]; rewrite forallbE => /all_In hf [<-].
have hd : is_domain n (domain_of ends) by apply/(@convex_domain_ok_is_convex_domain n (Polyhedral _)).
split=> // x hx h; apply/(domain_rows_sound hd hx) => f /hf; case hl: least => [u|] // /Z.leb_le u0.
have [hu hle] := least_sound (erefl : is_quotient (List.hd Z0 f, Zpos xH)) h hl.
have : number_of u <= value f x.
  by apply: le_trans hle _; rewrite /value /number_of embed1 divr1; case: (f) => [|b a] /=; rewrite ?addr0 ?mulr1.
by apply: le_trans; rewrite /number_of divr_ge0 ?embed_ge0 //; apply: Z.lt_le_incl.
Qed.
End Oracles.
End Intervals.
