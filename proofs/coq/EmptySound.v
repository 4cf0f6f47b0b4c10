(* C1: no pre-image at all.  A negative output where a relu follows; or Farkas multipliers; or the homogenised system, whose elements
   with last coordinate 1 are the pre-image, has only the zero solution. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import EntryVectors MultipliersSound MarginSound EvaluationSound SystemsSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- linear forms on a domain ---------- *)

Section Infimum.
Variables (R : realFieldType) (n : nat) (K : domain) (X : seq R).
Hypotheses (size_X : size X = n) (domain_K : is_domain n K) (X_domain : in_domain n K X).

Lemma dotR_le_ge0 a (s t : seq R) : size s = n -> size t = n -> (forall j, Z.le Z0 (nth Z0 a j)) ->
  (forall j, (j < n)%N -> nth 0 s j <= nth 0 t j) -> dotR a s <= dotR a t.
Proof.
move=> hs ht ha h; rewrite !(dotR_sum a (n := n)) //; apply: ler_sum => j _.
by rewrite ler_wpmul2l ?embed_ge0 ?h.
Qed.
Lemma dotR_le_le0 a (s t : seq R) : size s = n -> size t = n -> (forall j, Z.le (nth Z0 a j) Z0) ->
  (forall j, (j < n)%N -> nth 0 s j <= nth 0 t j) -> dotR a t <= dotR a s.
Proof.
move=> hs ht ha h; rewrite !(dotR_sum a (n := n)) //; apply: ler_sum => j _.
by rewrite ler_wnmul2l ?h // embed_le0; apply/Z.leb_le.
Qed.
Lemma dotR_parts a (s : seq R) : dotR [seq Z.max Z0 v | v <- a] s + dotR [seq Z.min Z0 v | v <- a] s = dotR a s.
Proof.
elim: a s => [|u a IH] [|v s] //=; rewrite ?addr0 // addrACA IH -mulrDl -embedD; congr (embed _ * _ + _); lia.
Qed.
Lemma nth_map_Z (f : Z -> Z) a j : f Z0 = Z0 -> nth Z0 [seq f v | v <- a] j = f (nth Z0 a j).
Proof.
by move=> f0; case: (ltnP j (size a)) => h; [rewrite (nth_map Z0) | rewrite !nth_default ?size_map].
Qed.

(* the infimum of a linear form over the domain is a lower bound at each of its points *)
Lemma infimum_sound sigma p d : infimum K sigma = Some (p, d) -> Z.lt 0 d /\ embed p / embed d <= dotR sigma X.
Proof.
have zero : (if is_zero sigma then Some (Z0, Zpos xH) else None) = Some (p, d) -> Z.lt 0 d /\ embed p / embed d <= dotR sigma X.
  by rewrite is_zeroE; case: ifP => // h [<- <-]; split=> //; rewrite mul0r dotR_zero.
rewrite /infimum; case: K domain_K X_domain => [||lo hi|sides] // hK hX.
  rewrite forallbE; case: ifP => // /all_In h [<- <-]; split=> //; rewrite mul0r (dotR_sum sigma size_X) sumr_ge0 // => j _.
  rewrite mulr_ge0 ?hX // embed_ge0 //; case: (ltnP j (size sigma)) => hj; last by rewrite nth_default //; lia.
  by apply/Z.leb_le/h/(In_nth Z0); exists (j : nat).
have [[lo0 lon] [hi0 hin]] := hK; move=> [<- <-]; split; first by apply: Z.mul_pos_pos.
have lod : embed (denominator lo) != 0 :> R by apply/lt0r_neq0/embed_gt0.
have hid : embed (denominator hi) != 0 :> R by apply/lt0r_neq0/embed_gt0.
rewrite embedD !embedM -addf_div // -!dotR_rational !tmapE -(dotR_parts sigma X) ler_add //.
  by apply: dotR_le_ge0; rewrite ?size_rational // => j; [rewrite nth_map_Z //; lia | case/hX/andP].
by apply: dotR_le_le0; rewrite ?size_rational // => j; [rewrite nth_map_Z //; lia | case/hX/andP].
Qed.
End Infimum.

(* the sides of a polytope, weighted *)
Lemma farkas_sides (R : realFieldType) (X : seq R) (one : Z) ws (ss : seq (Z * seq Z)) : Z.lt 0 one -> all (Z.leb Z0) ws ->
  (forall s, List.In s ss -> embed s.1 + dotR s.2 X <= 0) -> let scaled := [seq Z.mul one w | w <- ws] in
  dots scaled [seq s.2 | s <- ss] X + embed (dot scaled [seq s.1 | s <- ss]) <= 0.
Proof.
move=> h1; elim: ws ss => [|w ws IH] [|s ss] //=; rewrite ?dot_nil ?addr0 //.
move=> /andP[/Z.leb_le hw hws] h; rewrite dot_cons embedD !embedM addrACA -mulrDr -[X in _ <= X]addr0 ler_add //.
  by rewrite addrC mulr_ge0_le0 ?mulr_ge0 ?embed_ge0 //; [lia | apply: h; left].
by apply: IH => // s' hs'; apply: h; right.
Qed.

Section Empty.
Variable R : realFieldType.
Notation two := (two R).
Notation rational := (rational R).

Lemma homogenised_equality (c s u d v Y : R) : Y != 0 -> d != 0 -> (c + s) * (u / d) = v / Y ->
  Y * u * s + (c * (Y * u) - v * d) = 0.
Proof.
move=> hY hd h; have -> : v = (c + s) * (u / d) * Y by rewrite h divfK.
by field; rewrite hd.
Qed.

Lemma scaled_row (w t u s c : R) : w * (t * u) * s + w * (t * u) * c = u * (w * ((c + s) * t)).
Proof. ring. Qed.
Lemma farkas_arithmetic (p d Y sum1 sum2 c1 c2 one v : R) : 0 < d -> 0 < Y -> p / d <= sum1 + sum2 ->
  sum1 + c1 <= one * (v / Y) -> sum2 + c2 <= 0 -> p * Y + ((c1 + c2) * Y - one * v) * d <= 0.
Proof.
move=> d0 Y0; rewrite ler_pdivr_mulr // => hp h1 h2.
have hs : (sum1 + c1 + (sum2 + c2)) * Y <= one * v.
  by rewrite -ler_pdivl_mulr // -mulrA -[X in _ <= X]addr0 ler_add.
apply: (@le_trans _ _ ((sum1 + sum2) * d * Y + ((c1 + c2) * Y - one * v) * d)); first by rewrite ler_add2r ler_pmul2r.
have -> : (sum1 + sum2) * d * Y + ((c1 + c2) * Y - one * v) * d = ((sum1 + c1 + (sum2 + c2)) * Y - one * v) * d by ring.
by rewrite pmulr_lle0 // subr_le0.
Qed.

(* ---------- a row whose output is given ---------- *)

Lemma two_up_down e : two e = embed (up e) / embed (down e) /\ Z.lt 0 (up e) /\ Z.lt 0 (down e).
Proof.
have u : 0 < embed (up e) :> R by rewrite /up embed_shiftl ?mul1r ?two_gt0 //; lia.
have d : 0 < embed (down e) :> R by rewrite /down embed_shiftl ?mul1r ?two_gt0 //; lia.
split; last by rewrite !embed_gt0E in u d; split; apply/Z.ltb_lt.
apply: (mulIf (lt0r_neq0 d)); rewrite divfK ?lt0r_neq0 //.
rewrite /up /down !embed_shiftl ?embed1 ?mul1r; [|lia..].
by rewrite -two_add; congr Claims.two; lia.
Qed.

(* what an output says about the row: it is the row's value, or the row is at most 0 *)
Lemma row_of_output (b : bool) (w v : R) : (if b then Num.max 0 w else w) = v ->
  if ~~ b || (0 < v) then w = v else w <= 0 /\ v = 0.
Proof.
case: b => //= <-; case: (leP w 0) => h; first by rewrite ltxx.
by rewrite h.
Qed.

Variables (l : layer) (K : domain) (y : point) (x : 'cV[R]_(inputs l)).
Let n := inputs l.
Let X := coordinates x.
Hypotheses (marks_size : size (rectified l) = size (rows l)) (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (point_y : is_point (size (rows l)) y) (domain_K : is_domain n K) (x_preimage : preimage K (rational y) x).

Let y_gt0 : Z.lt 0 (denominator y). Proof. by case: point_y. Qed.
Let size_X : size X = n. Proof. exact: size_coordinates. Qed.
Let X_domain : in_domain n K X. Proof. by case: x_preimage. Qed.

Lemma output_row r v b : List.In (r, (v, b)) (zip (rows l) (zip (numerators y) (rectified l))) ->
  if in_P b v then row_at X r = embed v / embed (denominator y) else row_at X r <= 0 /\ v = Z0.
Proof.
have [_ hy] := x_preimage; move=> /(zip3_equal hy)/row_of_output /=; rewrite fraction_gt0 // /in_P.
by case: ifP => // _ [h /eqP]; rewrite fraction_eq0 // => /Z.eqb_spec.
Qed.

(* an output where a relu follows is not negative *)
Lemma no_negative_output i v : List.nth_error (numerators y) i = Some v -> List.nth_error (rectified l) i = Some true -> Z.le 0 v.
Proof.
have [_ hy] := x_preimage; move=> hv hb; have [r /output_row] := zip3_nth hy hv hb.
by rewrite /in_P /=; case: ifP => [/Z.ltb_spec0|_ [_ ->]]; lia.
Qed.

(* ---------- the homogenised system ---------- *)

Lemma box_row_holds k (c d : Z) (t : R) : (k < n)%N ->
  dotR (repeat_onto Z0 k (c :: repeat_onto Z0 (n - k.+1) [:: d])) (rcons X t) = embed c * nth 0 X k + embed d * t.
Proof.
move=> hk; rewrite !repeat_ontoE dotR_nseq0 (drop_nth 0) ?size_rcons ?size_X 1?ltnW //= dotR_nseq0 drop_drop subnK //.
by rewrite -size_X drop_rcons // drop_size /= addr0 nth_rcons size_X hk.
Qed.
Lemma In_box_rows m j dl dh wl wh lo hi r : List.In r (box_rows m j dl dh wl wh lo hi) ->
  exists2 i, (i < size lo)%N & is_equality r = false /\
   (normal r = repeat_onto Z0 (j + i) (Z.opp dl :: repeat_onto Z0 (m - (j + i).+1) [:: nth Z0 lo i]) \/
    normal r = repeat_onto Z0 (j + i) (dh :: repeat_onto Z0 (m - (j + i).+1) [:: Z.opp (nth Z0 hi i)])).
Proof.
elim: lo hi j => [|a lo IH] [|b hi] j //= [<-|[<-|/IH[i hi' [h1 h2]]]].
- by exists 0%N; rewrite // addn0 /=; split=> //; left.
- by exists 0%N; rewrite // addn0 /=; split=> //; right.
- by exists i.+1; rewrite // -addSnnS; split.
Qed.

(* the rows of the homogenised system: those of the layer, and those of the domain *)
Definition homogenised_layer_row (r : row) (v : Z) (b : bool) (g : general_row) : Prop :=
  if in_P b v then is_equality g = true /\ normal g = [seq Z.mul (Z.mul (denominator y) (up (exponent r))) a | a <- coefficients r] ++
      [:: Z.sub (Z.mul (constant r) (Z.mul (denominator y) (up (exponent r)))) (Z.mul v (down (exponent r)))]
  else is_equality g = false /\ normal g = coefficients r ++ [:: constant r].
Lemma In_homogenised g : List.In g (general (homogenised_system l K y)) ->
  (exists r v b, List.In (r, (v, b)) (zip (rows l) (zip (numerators y) (rectified l))) /\ homogenised_layer_row r v b g) \/
  match K with
  | Box lo hi => exists wl wh, List.In g (box_rows n 0 (denominator lo) (denominator hi) wl wh (numerators lo) (numerators hi))
  | Polytope sides => exists2 s, List.In s sides & is_equality g = false /\ normal g = s.2 ++ [:: s.1]
  | _ => False
  end.
Proof.
rewrite /homogenised_system; case: K => [||lo hi|sides] /=; move=> /In_nonzero_rows[];
  rewrite tappE tmap2_pair tmap2E => /In_cat[/In_map_iff[[r [v b]] h ->] _|h _].
all: try by left; exists r, v, b; split=> //; rewrite /homogenised_layer_row /=; case: (in_P b v); rewrite /= tappE ?tmapE.
- by case: h.
- by case: h.
- by right; do 2 eexists; apply: h.
- by right; move: h; rewrite tmapE => /In_map_iff[s hs ->]; exists s => //; rewrite /= tappE.
Qed.

(* C1: with last coordinate 1, an element of the pre-image satisfies the homogenised system. *)
Theorem homogenised_sound : system_holds (homogenised_system l K y) (rcons X 1).
Proof.
have Y0 : embed (denominator y) != 0 :> R by apply/lt0r_neq0/embed_gt0.
split.
- move=> g /In_homogenised[[r [v [b [h]]]]|]; rewrite /general_holds.
  + have size_r : size (coefficients r) = size X by rewrite size_X; apply: widths; have [] := In_zip h.
    move/output_row: h; rewrite /homogenised_layer_row; case: ifP => _ hr [-> ->].
      rewrite dotR_rcons; last by rewrite size_map.
      rewrite dotR_scale mulr1 embed_sub !embedM.
      have [e [u d]] := two_up_down (exponent r); have d0 : embed (down (exponent r)) != 0 :> R by apply/lt0r_neq0/embed_gt0.
      move: hr; rewrite /row_at e; exact: homogenised_equality.
    case: hr => hr _; rewrite dotR_rcons // mulr1; move: hr.
    by rewrite /row_at pmulr_lle0 ?two_gt0 // addrC.
  + case: K domain_K X_domain => //= [lo hi [[dl0 sl] [dh0 sh]] hX [wl [wh]]|sides hs hX [s s_in [-> ->]]].
      move=> /In_box_rows[i]; rewrite sl add0n => hi' [-> [] ->]; have /andP[h1 h2] := hX i hi'; rewrite box_row_holds // mulr1 embed_opp.
        move: h1; rewrite nth_rational ler_pdivr_mulr ?embed_gt0 // mulNr addrC subr_le0 mulrC; exact.
      by move: h2; rewrite nth_rational ler_pdivl_mulr ?embed_gt0 // subr_le0 mulrC.
    by rewrite dotR_rcons ?size_X ?hs // mulr1 addrC; apply: hX.
- move=> j; have last_ge0 : nth false (nseq n false ++ [:: true]) j -> 0 <= nth 0 (rcons X 1) j.
    rewrite nth_cat size_nseq nth_nseq if_same nth_rcons size_X; case: (ltngtP j n) => //= h _; last by rewrite ler01.
  rewrite /homogenised_system; case: K X_domain => [||lo hi|sides] /= hX; rewrite ?tappE ?all_columnsE //.
  move=> _; rewrite nth_rcons size_X; case: ltnP => [/hX //|_].
  by case: ifP; rewrite ?ler01.
- move=> j; rewrite /homogenised_system; case: K => [||lo hi|sides] /=; by rewrite all_columnsE nth_nseq if_same.
Qed.

(* ---------- Farkas multipliers ---------- *)

(* the rows of the layer, weighted *)
Lemma farkas_rows low rs ws vs bs : (forall r, List.In r rs -> Z.le low (exponent r)) -> size ws = size rs -> size vs = size rs ->
  size bs = size rs ->
  (forall r v b, List.In (r, (v, b)) (zip rs (zip vs bs)) ->
     if in_P b v then row_at X r = embed v / embed (denominator y) else row_at X r <= 0 /\ v = Z0) ->
  all (fun w_vb : Z * (Z * bool) => ~~ (w_vb.2.2 && Z.eqb w_vb.2.1 Z0) || Z.leb Z0 w_vb.1) (zip ws (zip vs bs)) ->
  let scaled := [seq Z.shiftl rw.2 (Z.sub (exponent rw.1) low) | rw <- zip rs ws] in
  dots scaled [seq coefficients r | r <- rs] X + embed (dot scaled [seq constant r | r <- rs]) <=
  two (Z.opp low) * (embed (dot ws vs) / embed (denominator y)).
Proof.
elim: rs ws vs bs => [|r rs IH] [|w ws] [|v vs] [|b bs] //=; first by move=> *; rewrite mul0r mulr0 addr0.
move=> hlow [hw] [hv] [hb] hrow /andP[hsign hsigns].
have {}IH := IH ws vs bs (fun r' h => hlow r' (or_intror h)) hw hv hb (fun r' v' b' h => hrow r' v' b' (or_intror h)) hsigns.
rewrite !dot_cons !embedD !embedM addrACA mulrDl mulrDr ler_add // embed_shiftl; last first.
  by have := hlow r (or_introl erefl); lia.
have -> : embed w * two (Z.sub (exponent r) low) * dotR (coefficients r) X + embed w * two (Z.sub (exponent r) low) * embed (constant r)
    = two (Z.opp low) * (embed w * row_at X r) by rewrite /row_at two_add; apply: scaled_row.
rewrite ler_wpmul2l ?(ltW (two_gt0 _ _)) // -mulrA; move: (hrow r v b (or_introl erefl)) hsign; rewrite /in_P.
case: ifP => [_ -> _ //|/negbT]. rewrite negb_or negbK => /andP[-> _] [h ->]; rewrite mul0r mulr0 /= => /Z.leb_le hw0.
by rewrite mulr_ge0_le0 ?embed_ge0.
Qed.

(* Farkas multipliers that are accepted and an element x of the pre-image contradict each other *)
Lemma farkas_holds_contradiction ws : farkas_holds l K y ws -> False.
Proof.
rewrite /farkas_holds split_atE size_ofE; set polytope := match K with Polytope sides => sides | _ => [::] end.
set lws := take _ ws; set sws := drop _ ws; set low := lowest_exponent (rows l); set one := Z.shiftl _ _.
rewrite !size_ofE !nat_eqb !forallbE tmap2_pair !tmap2E all_map !tmapE.
set scaled := [seq Z.shiftl _ _ | _ <- _]; set scaled_sides := [seq Z.mul one _ | _ <- _].
set sigma := combination _ _ _.
move=> /andP[/andP[/andP[/andP[/eqP size_lws /eqP size_sws] hsign] hsides]].
case inf: (infimum K sigma) => [[p d]|//]; have [d0 hinf] := infimum_sound size_X domain_K X_domain inf.
have [_ size_y] := point_y; have [low0 low_le] := lowest_exponent_le (rows l).
have one_two : embed one = two (Z.opp low) by rewrite /one embed_shiftl ?mul1r //; lia.
have one0 : Z.lt 0 one by apply/Z.ltb_lt; rewrite -(embed_gt0E R) one_two two_gt0.
have h_rows := farkas_rows low_le size_lws size_y marks_size (@output_row) hsign.
have h_sides := @farkas_sides R X one sws polytope one0 hsides.
have {}h_sides := h_sides _; rewrite -/scaled -/scaled_sides in h_rows h_sides.
have sigmaE : dotR sigma X = dots scaled [seq coefficients r | r <- rows l] X + dots scaled_sides [seq s.2 | s <- polytope] X.
  by rewrite /sigma !dotR_combination dotR_zeros add0r.
have Y0 : 0 < embed (denominator y) :> R by apply: embed_gt0.
move=> /Z.ltb_lt/(embed_gt0 R); rewrite ltNge embedD !embedM => /negP; apply.
rewrite embed_sub !embedM embedD one_two.
apply: (@farkas_arithmetic _ _ _ (dots scaled [seq coefficients r | r <- rows l] X) (dots scaled_sides [seq s.2 | s <- polytope] X)) => //.
- exact: embed_gt0.
- by rewrite -sigmaE.
- apply: h_sides => s; rewrite /polytope; case: K X_domain => //= sides hX; exact: hX.
Qed.
End Empty.

Section Checks.
Variables (R : realFieldType) (propose : oracle) (l : layer) (K : domain) (y : point).
Let n := inputs l.
Hypotheses (marks_size : size (rectified l) = size (rows l)) (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (point_y : is_point (size (rows l)) y) (domain_K : is_domain n K).

(* C1: a negative output where a relu follows has no pre-image. *)
Theorem negative_output i v : List.nth_error (numerators y) i = Some v -> List.nth_error (rectified l) i = Some true ->
  Z.lt v 0 -> forall x, ~ preimage (l := l) K (rational R y) x.
Proof. by move=> hv hb h x hx; have := no_negative_output marks_size point_y hx hv hb; lia. Qed.

(* C1: an output for which Farkas multipliers are accepted has no pre-image. *)
Theorem farkas_sound ws : farkas_holds l K y ws -> forall x, ~ preimage (l := l) K (rational R y) x.
Proof. by move=> h x hx; apply: (farkas_holds_contradiction marks_size point_y domain_K hx h). Qed.

(* C1: an output whose homogenised system has only the zero solution has no pre-image. *)
Theorem margin_empty selected outside ws : margin_holds propose (homogenised_system l K y) selected outside ws ->
  forall x, ~ preimage (l := l) K (rational R y) x.
Proof.
move=> h x hx; have columns_size : columns (homogenised_system l K y) = n.+1.
  by rewrite /homogenised_system; case: K.
have hs : size (rcons (coordinates x) 1) = columns (homogenised_system l K y) by rewrite size_rcons size_coordinates columns_size.
have := margin_holds_sound h hs (homogenised_sound widths point_y domain_K hx) n.
by rewrite nth_rcons size_coordinates ltnn eqxx => /eqP; rewrite oner_eq0.
Qed.

(* C1: where the check of emptiness accepts, there is no pre-image. *)
Theorem check_empty_sound e : check_empty propose l K y e -> forall x, ~ preimage (l := l) K (rational R y) x.
Proof.
case: e => //= [i|ws|selected outside ws].
- case hv: (List.nth_error (numerators y) i) => [v|//]; case hb: (List.nth_error (rectified l) i) => [b|//] /andP[bt /Z.ltb_lt v0].
  by apply: (negative_output hv) => //; rewrite hb bt.
- exact: farkas_sound.
- exact: margin_empty.
Qed.
End Checks.
