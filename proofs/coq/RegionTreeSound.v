(* The tree of cells proves which activation regions there are (R3; sections 3.5 and 4.13 of FORMAT.md).  A full-dimensional set on which
   the pattern is constant lies in one part of a cell that a neuron cuts, so that going down one finds its pattern at a leaf; and around
   the point inside a leaf the pattern is that of the leaf, for a form that is not negative on a ball, and not 0, is positive inside it. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate RegionCertificate Vectors Integers ListFacts VectorFacts Claims Systems EvaluationSound.
From ExactRelu Require Import RegionClaims FormsOnBalls RegionTree.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Regions.
Variable R : realFieldType.
Implicit Types (x y : seq R) (f : form) (cell : seq form).

(* ---------- what follows from rows ---------- *)

Lemma value_opposite f x : value (opposite f) x = - value f x.
Proof.
rewrite /opposite tmapE /value; elim: f (1 :: x) => [|u f IH] [|v z] //=; rewrite ?oppr0 //.
by rewrite IH embed_opp mulNr opprD.
Qed.

Section Oracle.
Variables (propose : seq (seq form) -> form -> nat * (Z * seq Z)) (inside_of : seq form -> point).
Notation follows := (follows propose).
Notation settle := (settle propose).

(* C1: a form that follows from the rows of a cone is not negative where they are not. *)
Lemma follows_sound cones f x : follows cones f -> (forall c, List.In c cones -> in_cell c x) -> 0 <= value f x.
Proof.
rewrite /RegionTree.follows; case: (propose cones f) => i [D ms]; case hi: List.nth_error => [cell|] //.
have hc := List.nth_error_In _ _ hi; case/andP=> /andP[/Z.ltb_lt hD]; rewrite forallbE => /all_In hms hsum /(_ _ hc) hx.
have D0 := embed_gt0 R hD; rewrite -(pmulr_rge0 _ D0).
have hdot : dotR (combination (tmap Z.opp ms) cell (tmap (Z.mul D) f)) (1 :: x) = embed D * value f x - dots ms cell (1 :: x).
  by rewrite dotR_combination !tmapE dotR_scale dots_opp.
have hleft : 0 <= dotR (combination (tmap Z.opp ms) cell (tmap (Z.mul D) f)) (1 :: x).
  case: (combination _ _ _) hsum => [|b slope] //= /andP[/Z.leb_le hb]; rewrite is_zeroE => hz.
  by rewrite dotR_zero // addr0 mulr1; apply: embed_ge0.
rewrite hdot subr_ge0 in hleft; apply: le_trans hleft.
elim: ms cell hms hx {hi hc hdot hsum} => [|m ms IH] [|r cell] //= hms hx.
rewrite addr_ge0 //; last by apply: IH => [m' h|r' h]; [apply: hms; right | apply: hx; right].
by rewrite mulr_ge0 ?hx //; [apply/embed_ge0/Z.leb_le/hms; left | left].
Qed.

Variable n : nat.
Notation near := (near n).
Notation inside := (inside n).

(* ---------- a layer in a cell ---------- *)

Implicit Types (s : layer_in_cell) (v : form * bool) (k : option bool).

(* the values that the layer gives, and the signs of its neurons *)
Definition out_at s x : seq R := [seq (if v.2 then Num.max 0 (value v.1 x) else value v.1 x) / embed (unit_of s) | v <- forms s].
Definition bits_at s x : seq bool := [seq 0 < value v.1 x | v <- [seq v <- forms s | v.2]].

Definition has_sign cell f (b : bool) :=
  if b then ~~ is_zero f /\ forall x, in_cell cell x -> 0 <= value f x else forall x, in_cell cell x -> value f x <= 0.
(* what is recorded of the layers is true in the cell *)
Definition good (net : seq layer) cell s :=
  [/\ Z.lt 0 (unit_of s) /\ size (signs s) = size (forms s),
      forall v, List.In v (forms s) -> size v.1 = n.+1,
      widths_agree (size (forms s)) (later s),
      forall x, size x = n -> inside cell x -> pattern_at net x = decided s ++ bits_at s x ++ pattern_at (later s) (out_at s x) &
      forall v b, List.In (v, Some b) (zip (forms s) (signs s)) -> has_sign cell v.1 b].

Lemma has_sign_bit cell f b x : size f = n.+1 -> size x = n -> has_sign cell f b -> inside cell x -> (0 < value f x) = b.
Proof.
move=> hf hx; case: b => /= [[hz h] hc|h hc]; last by apply/negbTE; rewrite -leNgt; apply/h; exact: inside_in hx hc.
by apply: (positive_inside hf hx hz _ hc) => y _; apply: h.
Qed.

Lemma In_zip_settled cones (vs : seq (form * bool)) ks v k :
  List.In (v, k) (zip vs (tmap2 (settle cones) vs ks)) -> exists2 k', List.In (v, k') (zip vs ks) & k = settle cones v k'.
Proof.
rewrite tmap2E; elim: vs ks => [|w vs IH] [|k0 ks] //= [[<- <-]|/IH[k' h ->]]; first by exists k0; auto.
by exists k'; auto.
Qed.

Lemma settled_good net cell cones s : (forall c, List.In c cones -> forall x, in_cell cell x -> in_cell c x) ->
  good net cell s -> good net cell (settled propose cones s).
Proof.
move=> hcones [[hu hsize] hf hw hp hs]; split=> //=; first by split=> //; apply: size_tmap2.
move=> v b /In_zip_settled[k hk]; rewrite /RegionTree.settle; case: k hk => [b'|] hk; first by case=> ->; apply: hs.
have sound f : follows cones f -> forall x, in_cell cell x -> 0 <= value f x.
  by move=> hfollows x hx; apply: follows_sound hfollows _ => c hc; apply: hcones hx.
case: v.2 => //; case: ifP => [hz [->] x _|hz].
  by rewrite /value dotR_zero // -is_zeroE.
case: ifP => [/sound h [->]|_]; first by split; [apply/negbT | exact: h].
by case: ifP => // /sound h [->] x hx; have := h x hx; rewrite value_opposite oppr_ge0.
Qed.

(* the signs that are known are those at all points inside the cell *)
Lemma bits_known net cell s x : good net cell s -> all_known s -> size x = n -> inside cell x -> bits_at s x = pattern_of s.
Proof.
move=> [[_ hsize] hf _ _ hs] hk hx hc; rewrite /bits_at /pattern_of !tmapE pickE.
move: hk; rewrite /all_known forallbE tmap2E.
have: forall v b, List.In (v, Some b) (zip (forms s) (signs s)) -> (0 < value v.1 x) = b.
  move=> v b h; apply: has_sign_bit (hs _ _ h) hc => //; apply: hf; by have [] := In_zip h.
elim: (forms s) (signs s) hsize => [|[f [|]] vs IH] [|k ks] //= [hsize] hb /andP[hk hks];
  have e := IH ks hsize (fun v b h => hb v b (or_intror h)) hks; rewrite e //.
by case: k hk hb {e} => [b|] // _ hb; rewrite (hb (f, true) b); [case: b {hb} | left].
Qed.

(* what is given to the next layer, as forms *)
Lemma out_known net cell s x : good net cell s -> all_known s -> in_cell cell x ->
  out_at s x = [seq dotR f (1 :: x) / embed (unit_of s) | f <- given_forms s].
Proof.
move=> [[_ hsize] _ _ _ hs] hk hx; rewrite /out_at /given_forms tmap2E -map_comp.
move: hk; rewrite /all_known forallbE tmap2E.
elim: (forms s) (signs s) hsize hs => [|[f m] vs IH] [|k ks] //= [hsize] hs /andP[hk hks].
congr (_ :: _); last by apply: IH => // v b h; apply: hs; right.
congr (_ / _); rewrite /given /=; case: m k hk hs => [[[|]|]|k] //= _ hs.
  by have [_ h] := hs (f, true) true (or_introl erefl); rewrite max_r ?h.
have h := hs (f, true) false (or_introl erefl); rewrite max_l ?h // dotR_zero // tmapE all_map.
by elim: (f).
Qed.

Lemma lowest_exponentP (rs : seq row) : Z.le (lowest_exponent rs) 0 /\ forall r, List.In r rs -> Z.le (lowest_exponent rs) (exponent r).
Proof. exact: fold_min. Qed.

Lemma next_form_value low unit (inputs : seq form) r x : Z.lt 0 unit -> Z.le low 0 -> Z.le low (exponent r) ->
  dotR (next_form n low unit inputs r) (1 :: x) / embed (Z.shiftl unit (Z.opp low)) =
  row_at [seq dotR f (1 :: x) / embed unit | f <- inputs] r :> R.
Proof.
move=> hu h0 hr; have u0 : embed unit != 0 :> R by rewrite gt_eqF // embed_gt0.
have scale e a X : Z.le 0 e -> dotR [seq Z.shiftl c e | c <- a] X = two R e * dotR a X.
  by move=> he; elim: a X => [|c a IH] [|z X] /=; rewrite ?mulr0 // IH embed_shiftl // mulrDr mulrA; congr (_ * _ + _); exact: mulrC.
rewrite /next_form tmapE scale; last by lia.
rewrite dotR_combination /= dotR_zeros mulr1 addr0 embedM dotsE embed_shiftl; last by lia.
have -> : two R (Z.sub (exponent r) low) = two R (exponent r) * two R (Z.opp low) by rewrite -two_add; congr two; lia.
have hd X : dotR (coefficients r) [seq dotR f X / embed unit | f <- inputs] =
            dotR (coefficients r) [seq dotR f X | f <- inputs] / embed unit :> R.
  by elim: (coefficients r) inputs => [|c a IH] [|f fs] //=; rewrite ?mul0r // IH mulrDl mulrA.
rewrite /row_at hd; move: (two_neq0 R (Z.opp low)) u0.
move: (two R _) (two R _) (dotR _ _) (embed (constant r)) (embed unit) => E L d c u hL hu'.
by field; rewrite hL hu'.
Qed.

Lemma max_div (a u : R) : 0 < u -> Num.max 0 a / u = Num.max 0 (a / u).
Proof.
move=> u0; case: (boolP (a <= 0)) => [|/negPf] h; [|move: h; rewrite leNgt => /negbFE h].
  have -> : Num.max 0 a = 0 by apply/max_l.
  have -> : Num.max 0 (a / u) = 0 by apply/max_l; rewrite pmulr_lle0 ?invr_gt0.
  by rewrite mul0r.
have -> : Num.max 0 a = a by apply/max_r/ltW.
by have -> : Num.max 0 (a / u) = a / u by apply/max_r/ltW; rewrite pmulr_lgt0 ?invr_gt0.
Qed.

Lemma size_given v k : size (given v k) = size v.1.
Proof. by rewrite /given; case: v.2; case: (is_on k) => //; rewrite tmapE size_map. Qed.

(* the forms of the next layer *)
Lemma enter_formsE s l ls : forms (enter n s l ls) =
  [seq (next_form n (lowest_exponent (rows l)) (unit_of s) (given_forms s) rb.1, rb.2) | rb <- zip (rows l) (rectified l)].
Proof. by rewrite /enter /= tmap2_pair tmapE zip_map_left. Qed.
Lemma enter_unit s l ls : Z.lt 0 (unit_of s) -> Z.lt 0 (unit_of (enter n s l ls)).
Proof.
move=> hu; have [low0 _] := lowest_exponentP (rows l).
apply/Z.ltb_lt; rewrite -(embed_gt0E R) embed_shiftl ?mulr_gt0 ?two_gt0 ?embed_gt0 //; lia.
Qed.
Lemma enter_value s l ls r x : Z.lt 0 (unit_of s) -> List.In r (rows l) ->
  value (next_form n (lowest_exponent (rows l)) (unit_of s) (given_forms s) r) x / embed (unit_of (enter n s l ls)) =
  row_at [seq dotR f (1 :: x) / embed (unit_of s) | f <- given_forms s] r.
Proof. by have [low0 hlow] := lowest_exponentP (rows l) => hu hr; apply: next_form_value => //; apply: hlow. Qed.
Lemma size_given_forms net cell s f : good net cell s -> List.In f (given_forms s) -> size f = n.+1.
Proof.
move=> [_ hf _ _ _]; rewrite /given_forms tmap2E => h; have [[v k] /In_zip[/= hv _] ->] := In_map h.
by rewrite size_given; apply: hf.
Qed.

(* the values of the layer that is entered are those of the layer itself *)
Lemma enter_out net cell s l ls x : all_known s -> good net cell s -> in_cell cell x ->
  out_at (enter n s l ls) x = layer_at l (out_at s x).
Proof.
move=> hk hg hc; have [[hu _] _ _ _ _] := hg; rewrite (out_known hg hk hc).
have u0 := embed_gt0 R (enter_unit l ls hu).
rewrite /layer_at /out_at enter_formsE -map_comp; apply/eq_map_In => -[r b] /In_zip[/= hr _].
by rewrite -(enter_value ls x hu hr); case: b => //; rewrite max_div.
Qed.

Lemma enter_good net cell s l ls : later s = l :: ls -> all_known s -> good net cell s -> good net cell (enter n s l ls).
Proof.
move=> hl hk hg; have [[hu hsize] hf hw hp hs] := hg; rewrite hl /= in hw; case: hw => [hin hmarks hwidths hw].
have hunit := enter_unit l ls hu; have u0 := embed_gt0 R hunit; have hforms := enter_formsE s l ls.
split.
- by split=> //; rewrite hforms size_map size_zip /= tmapE size_map hmarks minnn.
- rewrite hforms => v h; have [[r b] /In_zip[/= hr _] -> /=] := In_map h; rewrite /next_form tmapE size_map.
  by apply: size_combination => [|f /(size_given_forms hg)] //; rewrite /= zerosE size_nseq.
- by rewrite hforms size_map size_zip hmarks minnn.
- move=> x hx hc; have hcell := inside_in hx hc; rewrite (enter_out l ls hk hg hcell).
  rewrite hp // hl /= (bits_known hg hk hx hc) /= tappE -catA; congr (_ ++ (_ ++ (_ ++ _))).
  rewrite /bits_at hforms filter_map -map_comp; apply/eq_map_In => -[r b] /In_filter[/In_zip[/= hr _] _].
  by rewrite (out_known hg hk hcell) -(enter_value ls x hu hr) // pmulr_lgt0 ?invr_gt0.
- move=> v b /In_zip[_ /=]; rewrite tmapE => hb; by have [] := In_map hb.
Qed.

Lemma advance_good net cell new all ls s : (forall c, List.In c new -> forall x, in_cell cell x -> in_cell c x) ->
  (forall c, List.In c all -> forall x, in_cell cell x -> in_cell c x) -> later s = ls ->
  good net cell s -> good net cell (advance propose n new all ls s).
Proof.
move=> hnew hall; elim: ls new hnew s => [|l ls IH] new hnew s hl hg /=; have hs := settled_good hnew hg; first by [].
by case: ifP => // hk; apply: IH => //; apply: enter_good hs.
Qed.
(* the outputs are those that the layers to come make of the values of the layer where one stands *)
Definition evaluates (net : seq layer) cell s :=
  forall x, size x = n -> in_cell cell x -> layers_at net x = layers_at (later s) (out_at s x).
Lemma advance_evaluates net cell new all ls s : (forall c, List.In c new -> forall x, in_cell cell x -> in_cell c x) ->
  (forall c, List.In c all -> forall x, in_cell cell x -> in_cell c x) -> later s = ls ->
  good net cell s -> evaluates net cell s -> evaluates net cell (advance propose n new all ls s).
Proof.
move=> hnew hall; elim: ls new hnew s => [|l ls IH] new hnew s hl hg he /=; have hs := settled_good hnew hg; first exact: he.
case: ifP => [hk|_]; last exact: he.
apply: IH => //; first exact: enter_good hs.
by move=> x hx hc; rewrite he // hl /layers_at /= -(enter_out l ls hk hs hc).
Qed.
Lemma cones_of_sound cell rows marks : (forall x, in_cell cell x -> in_cell rows x) ->
  forall c, List.In c (cones_of rows marks) -> forall x, in_cell cell x -> in_cell c x.
Proof.
move=> hrows c; rewrite /cones_of tmapE => h x hx r; have [m _ ->] := In_map h; rewrite pickE => hr; exact: hrows (In_mask hr).
Qed.
(* where the rows follow from those of the cell, what is settled is true in the cell *)
Lemma settled_in_good net cell rows new inherited s : (forall x, in_cell cell x -> in_cell rows x) -> good net cell s ->
  good net cell (settled_in propose n rows new inherited s) /\
  (evaluates net cell s -> evaluates net cell (settled_in propose n rows new inherited s)).
Proof.
move=> hrows hg; have hnew := cones_of_sound (marks := new) hrows.
have hall c : List.In c (tapp (cones_of rows new) (cones_of rows inherited)) -> forall x, in_cell cell x -> in_cell c x.
  by rewrite tappE => /In_cat[/hnew //|]; apply: cones_of_sound.
by split; [exact: advance_good | exact: advance_evaluates].
Qed.
Lemma neuron_ofP s j place f : neuron_of s j = Some (place, f) -> List.nth_error (forms s) place = Some (f, true).
Proof. by rewrite /neuron_of; case h: List.nth_error => [[g [|]]|] // [<- <-]. Qed.

Lemma In_zip_put (vs : seq (form * bool)) ks j b v k : List.In (v, k) (zip vs (put j b ks)) ->
  List.In (v, k) (zip vs ks) \/ k = Some b /\ List.nth_error vs j = Some v.
Proof.
elim: vs ks j => [|w vs IH] [|k0 ks] [|j] //=; first by case=> [[<- <-]|]; auto.
by case=> [->|/IH[]]; auto.
Qed.

(* A neuron that is given a sign by a further row. *)
Lemma with_sign_good net cell cell' s j f b : good net cell s -> List.nth_error (forms s) j = Some (f, true) -> ~~ is_zero f ->
  (forall x, in_cell cell' x -> in_cell cell x) -> good net ((if b then f else opposite f) :: cell') (with_sign j b s).
Proof.
move=> [[hu hsize] hf hw hp hs] hj hz hcell.
have sub x : in_cell ((if b then f else opposite f) :: cell') x -> in_cell cell x.
  by move=> h; apply: hcell => r hr; apply: h; right.
split=> //=.
- split=> //; rewrite -hsize; elim: (signs s) (j) => [|k ks IH] [|i] //=; by rewrite IH.
- by move=> x hx [e e0 he]; apply: hp => //; exists e => // y /he/sub.
- move=> v b' /In_zip_put[/hs|[[->]]].
    by rewrite /has_sign; case: b' => [[h1 h2]|h2]; [split=> // x /sub/h2 | move=> x /sub/h2].
  rewrite hj => -[<-] /=; case: (b) => /=; first by split=> // x h; apply: h; left.
  by move=> x h; rewrite -oppr_ge0 -value_opposite; apply: h; left.
Qed.

(* ---------- the tree ---------- *)

(* the pattern p is that of all points of a ball in the cell *)
Definition is_region_in (net : seq layer) cell (p : seq bool) :=
  exists x e, [/\ size x = n, 0 < e & forall y, near e x y -> in_cell cell y /\ pattern_at net y = p].

Lemma region_inside net cell p : is_region_in net cell p -> exists x, [/\ size x = n, inside cell x & pattern_at net x = p].
Proof.
move=> [x [e [hx e0 h]]]; exists x; split=> //; last by have [] := h x (near_self e0 hx).
by exists e => // y /h[].
Qed.
Lemma region_mono net cell cell' p : (forall x, in_cell cell x -> in_cell cell' x) -> is_region_in net cell p -> is_region_in net cell' p.
Proof. by move=> hc [x [e [hx e0 h]]]; exists x, e; split=> // y /h[/hc]. Qed.

(* the bit of a neuron of the current layer in a pattern *)
Lemma same_bits net cell s x y j f : good net cell s -> List.nth_error (forms s) j = Some (f, true) -> size x = n -> size y = n ->
  inside cell x -> inside cell y -> pattern_at net x = pattern_at net y -> (0 < value f x) = (0 < value f y).
Proof.
move=> [_ _ _ hp _] hj hx hy cx cy; rewrite !hp // => /eqP.
rewrite eqseq_cat ?eqxx //= eqseq_cat ?size_map // => /andP[/eqP/eq_map_In h _].
by apply: (h (f, true)); apply/In_filter; split=> //; apply: List.nth_error_In hj.
Qed.

(* R3: the patterns of a tree that is accepted are those of the full-dimensional regions in its cell, each once. *)
Theorem regions_of_sound net t cell inherited s ps : good net cell s -> regions_of propose inside_of n t cell inherited s = Some ps ->
  uniq ps /\ forall p, is_region_in net cell p <-> p \in ps.
Proof.
elim: t cell inherited s ps => [new number kept off IHoff on IHon|new] cell inherited s ps hg /=;
  set s' := settled_in _ _ _ _ _ _; have [{}hg _] : good net cell s' /\ _ := settled_in_good new inherited (fun x h => h) hg.
  case hn: neuron_of => [[j f]|] //; have hj := neuron_ofP hn; case: ifP => // /andP[hz]; rewrite forallbE => /all_In hkept.
  have hcell x : in_cell (pick kept cell) x -> in_cell cell x by move=> hx r hr; apply: follows_sound (hkept _ hr) _ => c [<-|[]].
  have hless x : in_cell cell x -> in_cell (pick kept cell) x by move=> hx r; rewrite pickE => h; apply: hx (In_mask h).
  case ha: regions_of => [as_|] //; case hb: regions_of => [bs|] // [<-]; rewrite tappE.
  have [ua pa] := IHoff _ _ _ _ (with_sign_good false hg hj hz hcell) ha.
  have [ub pb] := IHon _ _ _ _ (with_sign_good true hg hj hz hcell) hb.
  have sub (r : form) x : in_cell (r :: pick kept cell) x -> in_cell cell x.
    by move=> h; apply: hcell => r' hr; apply: h; right.
  have hf : size f = n.+1 by case: hg => _ h _ _ _; apply: (h (f, true)); apply: List.nth_error_In hj.
  split.
    rewrite cat_uniq ua ub andbT /=; apply/hasPn => p /pb/region_inside[y [hy cy py]]; apply/negP => /pa/region_inside[x [hx cx px]].
    have cx' : inside cell x by case: cx => e e0 h; exists e => // z /h/sub.
    have cy' : inside cell y by case: cy => e e0 h; exists e => // z /h/sub.
    have := same_bits hg hj hx hy cx' cy'; rewrite px py => /(_ erefl).
    have -> : 0 < value f y by apply: (positive_inside hf hy hz _ cy) => z _; apply; left.
    suff -> : (0 < value f x) = false by [].
    apply/negbTE; rewrite -leNgt -oppr_ge0 -value_opposite; apply: (inside_in hx cx); by left.
  move=> p; rewrite mem_cat; split=> [[x [e [hx e0 h]]]|/orP[/pa|/pb]]; last first.
  - exact/region_mono/sub.
  - exact/region_mono/sub.
  have e20 : 0 < e / 2%:R by rewrite divr_gt0 ?ltr0n.
  have in2 y : near (e / 2%:R) x y -> inside cell y by apply: inside_near => // z /h[].
  have near2 y : near (e / 2%:R) x y -> near e x y by move=> hy; apply: near_near hy; apply: near_self => //; case: hy.
  have cx := in2 x (near_self e20 hx); have px := (h x (near_self e0 hx)).2.
  have bit y : near (e / 2%:R) x y -> (0 < value f y) = (0 < value f x).
    by move=> hy; apply: (same_bits hg hj) => //; [case: hy | apply: in2 | rewrite px; exact: (h y (near2 y hy)).2].
  case: (boolP (0 < value f x)) => hfx; apply/orP; [right; apply/pb | left; apply/pa]; exists x, (e / 2%:R); split=> // y hy;
    (split; last exact: (h y (near2 y hy)).2) => r [<-|]; try exact: (hless _ (h y (near2 y hy)).1).
  - by rewrite ltW // bit.
  - by rewrite value_opposite oppr_ge0 leNgt bit.
set q := inside_of cell.
case: ifP => // /andP[/andP[/andP[hk hl] /point_ok_is_point [hD hq]]]; rewrite forallbE => /all_In hpos [<-].
split=> // p; rewrite inE tappE.
have only x : size x = n -> inside cell x -> pattern_at net x = decided s' ++ pattern_of s'.
  move=> hx cx; have [_ _ _ hp _] := hg; rewrite hp // (bits_known hg hk hx cx).
  by case: (later s') hl => //= _; rewrite cats0.
split=> [/region_inside[x [hx cx <-]]|/eqP ->]; first by rewrite only.
have hx : size (rational R q) = n by rewrite size_rational.
have [e e0 he] : inside cell (rational R q).
  apply: positive_near => // r /hpos/Z.ltb_lt hr; rewrite /value.
  rewrite -(pmulr_rgt0 _ (embed_gt0 R hD)).
  suff -> : embed (denominator q) * dotR r (1 :: rational R q) = embed (dot r (denominator q :: numerators q)) by exact: embed_gt0.
  have D0 : embed (denominator q) != 0 :> R by rewrite gt_eqF // embed_gt0.
  rewrite embed_dot /=; case: r {hr} => [|c a] /=; rewrite ?mulr0 // mulr1 mulrDr; congr (_ + _); first exact: mulrC.
  rewrite /rational; elim: a (numerators q) => [|u a IH] [|w ws] //=; rewrite ?mulr0 // mulrDr IH; congr (_ + _).
  by rewrite mulrCA [_ * (_ / _)]mulrC divfK.
exists (rational R q), (e / 2%:R); split=> // [|y hy]; first by rewrite divr_gt0 ?ltr0n.
have cy : inside cell y by apply: inside_near hy.
have sy : size y = n by case: hy.
by split; [exact: inside_in sy cy | exact: only].
Qed.

(* ---------- the coordinates and the domain ---------- *)

Lemma list_seqE a m : List.seq a m = iota a m.
Proof. by elim: m a => //= m IH a; rewrite IH. Qed.
Lemma coordinateE j : coordinate n j = nseq j.+1 Z0 ++ Zpos xH :: nseq (n - j.+1) Z0.
Proof. by rewrite /coordinate repeat_ontoE zerosE. Qed.
Lemma dotR_unit j x : (j < size x)%N -> dotR (nseq j Z0 ++ Zpos xH :: nseq (n - j.+1) Z0) x = nth 0 x j.
Proof.
move=> hj; rewrite dotR_nseq0 (drop_nth 0 hj) /= embed1 mul1r dotR_zero ?addr0 //; by rewrite all_nseq orbT.
Qed.
Lemma value_coordinate j x : size x = n -> (j < n)%N -> value (coordinate n j) x = nth 0 x j.
Proof. by move=> hx hj; rewrite /value coordinateE /= mul0r add0r dotR_unit ?hx. Qed.

Lemma first_layer_out ls x : size x = n -> out_at (first_layer n ls) x = x.
Proof.
move=> hx; rewrite /out_at /= tmapE list_seqE -map_comp; apply: (@eq_from_nth _ 0); rewrite ?size_map ?size_iota // => j hj.
by rewrite (nth_map 0%N) ?size_iota // nth_iota //= value_coordinate // divr1.
Qed.
Lemma first_layer_good ls cell : widths_agree n ls -> good ls cell (first_layer n ls).
Proof.
move=> hw; have hn : size (forms (first_layer n ls)) = n by rewrite /= tmapE size_map list_seqE size_iota.
split; rewrite ?hn //.
- by split=> //=; rewrite repeat_ontoE cats0 size_nseq.
- rewrite /= tmapE list_seqE => v h; have [j /In_iota hj -> /=] := In_map h.
  by rewrite coordinateE size_cat /= !size_nseq; lia.
- move=> x hx _; rewrite first_layer_out // /bits_at /= tmapE list_seqE filter_map (eq_filter (a2 := pred0)) // filter_pred0 //.
- by move=> v b /In_zip[_ /=]; rewrite repeat_ontoE cats0; elim: (n) => //= m IH [].
Qed.

Lemma domain_rows_sound K x : is_domain n K -> size x = n -> in_cell (domain_rows n K) x <-> in_domain n K x.
Proof.
move=> hK hx; have side c d j : (j < n)%N -> value (c :: tmap (Z.mul d) (List.tl (coordinate n j))) x = embed c + embed d * nth 0 x j.
  by move=> hj; rewrite /value /= mulr1 tmapE dotR_scale coordinateE /= dotR_unit ?hx.
case: K hK => [|||sides] /=.
- by split=> // _ r [].
- move=> _; rewrite tmapE list_seqE; split=> [h j hj|h r hr].
    by rewrite -value_coordinate //; apply: h; apply: map_In; apply/In_iota.
  by have [j /In_iota hj ->] := In_map hr; rewrite value_coordinate //; apply: h.
- move=> lo hi [[hlo slo] [hhi shi]]; rewrite tmapE list_seqE.
  have lower j : (j < n)%N -> (nth 0 (rational R lo) j <= nth 0 x j) =
      (0 <= value (Z.opp (List.nth j (numerators lo) Z0) :: tmap (Z.mul (denominator lo)) (List.tl (coordinate n j))) x).
    move=> hj; rewrite side // embed_opp addrC subr_ge0 nth_rational nthE ler_pdivr_mulr ?embed_gt0 //.
    by rewrite mulrC.
  have upper j : (j < n)%N -> (nth 0 x j <= nth 0 (rational R hi) j) =
      (0 <= value (List.nth j (numerators hi) Z0 :: tmap (Z.mul (Z.opp (denominator hi))) (List.tl (coordinate n j))) x).
    move=> hj; rewrite side // embed_opp mulNr subr_ge0 nth_rational nthE ler_pdivl_mulr ?embed_gt0 //.
    by rewrite mulrC.
  split=> [h j hj|h r /List.in_concat[pair [hp hr]]].
  + rewrite lower // upper //; apply/andP; split; apply: h; apply/List.in_concat; eexists;
      by split; [apply: map_In; apply/In_iota; exact: hj | rewrite /=; auto].
  + have [j /In_iota hj e] := In_map hp; rewrite {pair hp}e in hr; have /andP[h1 h2] := h j hj.
    by case: hr => [<-|[<-|[]]]; [rewrite -lower | rewrite -upper].
- move=> hK; rewrite tmapE; split=> [h q hq|h r hr].
    have := h _ (map_In (fun q => opposite (q.1 :: q.2)) hq); rewrite value_opposite oppr_ge0 /value /= mulr1.
    by [].
  by have [q hq ->] := In_map hr; rewrite value_opposite oppr_ge0 /value /= mulr1; apply: h.
Qed.

Lemma value_constant f x : is_constant f -> value f x = embed (List.hd Z0 f).
Proof. by rewrite /is_constant /value is_zeroE; case: f => //= c a h; rewrite mulr1 dotR_zero // addr0. Qed.
(* The sides that are left are not negative on the domain; if the others are not, there alone. *)
Lemma first_rows_sound K x : is_domain n K -> size x = n ->
  (in_domain n K x -> in_cell (first_rows n K) x) /\ (constants_ok n K -> in_cell (first_rows n K) x -> in_domain n K x).
Proof.
move=> hK hx; split=> [/(domain_rows_sound hK hx) h r /List.filter_In[hr _]|]; first by apply: h; apply/(List.in_rev _ r).
rewrite /constants_ok forallbE => /all_In hc h; apply/domain_rows_sound => // r hr.
case: (boolP (is_constant r)) => hr'; last first.
  by apply: h; apply/List.filter_In; split=> //; apply/(List.in_rev _ r); rewrite List.rev_involutive.
by have := hc r hr; rewrite hr' /= value_constant // => /Z.leb_le; apply: embed_ge0.
Qed.

(* R3: the soundness of the tree, over every ordered field: the patterns of its leaves are those of the full-dimensional activation regions
   of the layers in the domain, and no pattern is there twice. *)
Theorem check_patterns_sound ls K t ps : widths_agree n ls -> is_domain n K -> check_patterns propose inside_of n ls K t = Some ps ->
  uniq ps /\ forall p, is_region R n ls K p <-> p \in ps.
Proof.
move=> hw hK; rewrite /check_patterns; case: ifP => // hc /(regions_of_sound (first_layer_good _ hw))[hu hp]; split=> // p; rewrite -hp.
by split=> -[x [e [hx e0 h]]]; exists x, e; split=> // y hy; have [h1 h2] := h y hy; split=> //;
  have sy : size y = n by [case: hy]; have [h3 h4] := first_rows_sound hK sy; [apply: h3 | apply: h4].
Qed.
End Oracle.
End Regions.
