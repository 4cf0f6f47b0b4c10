(* A system C of linear conditions that only 0 satisfies: by a margin (C3), or by exact multipliers (P3, C6).
   Both add up the conditions: for x in C, the sum of w_i |normal_i.x| and of lambda_j |x_j| (lambda_j: the implied multipliers
   of the sides) is at most norm * max |x_j|.  If norm = 0, all the terms are 0; otherwise an approximate inverse of the members
   of S bounds max |x_j| by multiples of |normal_i.x| and |x_j| that the multipliers exceed. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers VectorFacts ApproximateInverse InverseSound Systems Checker RankSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists ---------- *)

Lemma nth_In (A : Type) (d : A) l i : (i < size l)%N -> List.In (nth d l i) l.
Proof. by elim: l i => [|a l IH] [|i] //= h; [left | right; apply: IH]. Qed.
Lemma In_zip (A B : Type) (l : seq A) (m : seq B) a b : List.In (a, b) (zip l m) -> List.In a l /\ List.In b m.
Proof. by elim: l m => [|a' l IH] [|b' m] //= [[-> ->]|/IH[h1 h2]]; split; auto. Qed.
Lemma In_zip_nth (A B : Type) (da : A) (db : B) l m a b : List.In (a, b) (zip l m) ->
  exists j, [/\ (j < size l)%N, (j < size m)%N, a = nth da l j & b = nth db m j].
Proof. by elim: l m => [|a' l IH] [|b' m] //= [[<- <-]|/IH[j [? ? ? ?]]]; [exists 0%N | exists j.+1]. Qed.
Lemma zip_In_nth (A B : Type) (da : A) (db : B) l m j : (j < size l)%N -> (j < size m)%N ->
  List.In (nth da l j, nth db m j) (zip l m).
Proof. by elim: l m j => [|a l IH] [|b m] [|j] //= h1 h2; [left | right; apply: IH]. Qed.

Lemma In_mask_nth (A : Type) (d : A) marks l a : List.In a (mask marks l) ->
  exists i, [/\ (i < size l)%N, (i < size marks)%N & a = nth d l i /\ nth false marks i].
Proof.
elim: marks l => [|b marks IH] [|c l] //=; case: b => /= [[<-|]|] //; first by exists 0%N.
all: by move/IH=> [i [? ? ?]]; exists i.+1.
Qed.
Lemma zip_mapl (A B C : Type) (f : A -> C) (l : seq A) (m : seq B) :
  zip [seq f a | a <- l] m = [seq (f ab.1, ab.2) | ab <- zip l m].
Proof. by elim: l m => [|a l IH] [|b m] //=; rewrite IH. Qed.
Lemma zip_mapr (A B C : Type) (f : A -> C) (l : seq A) (m : seq B) :
  zip m [seq f a | a <- l] = [seq (ab.1, f ab.2) | ab <- zip m l].
Proof. by elim: l m => [|a l IH] [|b m] //=; rewrite IH. Qed.
Lemma zip_zip_map (A B C : Type) (f : A -> B) (g : A -> C) (l : seq A) :
  zip [seq f a | a <- l] [seq g a | a <- l] = [seq (f a, g a) | a <- l].
Proof. by elim: l => //= a l ->. Qed.

(* ---------- what the checks compute ---------- *)

(* stands for a row beyond the end of a list *)
Definition no_row := GeneralRow true xH Z0 [::].

(* the smallest power of two, and not above 0 *)
Definition shift_of (rs : seq general_row) : Z := foldl (fun m r => Z.min m (binary r)) Z0 rs.
(* the multipliers of the normals: w * weight * 2^(binary - smallest) *)
Lemma scale_weightsE rs ws :
  scale_weights rs ws = [seq Z.shiftl (Z.mul rw.2 (Zpos (weight rw.1))) (Z.sub (binary rw.1) (shift_of rs)) | rw <- zip rs ws].
Proof. by rewrite /scale_weights tmap2E fold_leftE. Qed.
Lemma shift_of_le rs r : List.In r rs -> Z.le (shift_of rs) (binary r).
Proof.
rewrite /shift_of; move: Z0 => m.
have low l k : Z.le (foldl (fun m r => Z.min m (binary r)) k l) k.
  by elim: l k => [|a l IH] k /=; [lia | apply: Z.le_trans (IH _) _; lia].
elim: rs m => //= a l IH m [->|]; last exact: IH.
by apply: Z.le_trans (low _ _) _; lia.
Qed.

(* as many multipliers as rows, and none is negative on an inequality *)
Lemma signs_okP rs ws : signs_ok rs ws ->
  size ws = size rs /\ forall r w, List.In (r, w) (zip rs ws) -> is_equality r \/ Z.le Z0 w.
Proof.
rewrite /signs_ok !size_ofE tmap2E forallbE all_map => /andP[/Nat.eqb_eq e /all_In h]; split=> // r w /h /=.
by case/orP=> [->|/Z.leb_le]; [left | right].
Qed.

(* column by column, the implied multiplier and what is left *)
Lemma implied_multipliersE s sigma :
  implied_multipliers s sigma = [seq implied luv.1.1 luv.1.2 luv.2 | luv <- zip (zip (lower_sides s) (upper_sides s)) sigma].
Proof.
rewrite /implied_multipliers !tmap2E; congr map; congr zip.
by rewrite -[RHS]map_id; apply: eq_map; case.
Qed.

(* the sum of what is left *)
Lemma residual_norm_cons lv l : residual_norm (lv :: l) = Z.add lv.2 (residual_norm l).
Proof.
rewrite /residual_norm !fold_leftE /= Z.add_0_l; move: lv.2 => v.
suff H k : foldl (fun sum (lv : Z * Z) => Z.add sum lv.2) (Z.add v k) l = Z.add v (foldl (fun sum lv => Z.add sum lv.2) k l).
  by rewrite -[v in LHS]Z.add_0_r H.
by elim: l k => [|a l IH] k //=; rewrite -Z.add_assoc IH.
Qed.

Section TrivialSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x : seq R) (s : system).

(* a row's condition at x; x is in C *)
Definition general_holds (r : general_row) x : Prop := if is_equality r then dotR (normal r) x = 0 else dotR (normal r) x <= 0.
Definition system_holds s x : Prop :=
  [/\ forall r, List.In r (general s) -> general_holds r x, forall j, nth false (lower_sides s) j -> 0 <= nth 0 x j
    & forall j, nth false (upper_sides s) j -> nth 0 x j <= 0].
(* e . x *)
Definition entry_of_list (e : entry) x : R :=
  match e with General r => dotR (normal r) x | Side j sign => embed sign * nth 0 x j end.

(* ---------- sums over lists ---------- *)

Lemma sum_In_ge0 (A : Type) (l : seq A) (f : A -> R) : (forall a, List.In a l -> 0 <= f a) -> 0 <= \sum_(a <- l) f a.
Proof.
elim: l => [|a l IH] h; first by rewrite big_nil.
by rewrite big_cons addr_ge0 //; [apply: h; left | apply: IH => b hb; apply: h; right].
Qed.
Lemma sum_In_zero (A : Type) (l : seq A) (f : A -> R) :
  (forall a, List.In a l -> 0 <= f a) -> \sum_(a <- l) f a <= 0 -> forall a, List.In a l -> f a = 0.
Proof.
elim: l => [|b l IH] h //; rewrite big_cons => hs.
have hb : 0 <= f b by apply: h; left.
have hl a : List.In a l -> 0 <= f a by move=> ha; apply: h; right.
have hr : 0 <= \sum_(a <- l) f a by exact: sum_In_ge0.
move=> a [<-|ha]; last by apply: IH => //; apply: le_trans hs; rewrite ler_addr.
by apply/eqP; rewrite eq_le hb andbT; apply: le_trans hs; rewrite ler_addl.
Qed.
Lemma sum_mask_le (A : Type) marks (l : seq A) (f : A -> R) :
  (forall a, List.In a l -> 0 <= f a) -> \sum_(a <- mask marks l) f a <= \sum_(a <- l) f a.
Proof.
elim: marks l => [|b marks IH] [|a l] h /=; rewrite ?big_nil //; first exact: sum_In_ge0.
have hl c : List.In c l -> 0 <= f c by move=> hc; apply: h; right.
have ha : 0 <= f a by apply: h; left.
case: b; rewrite !big_cons; first by rewrite ler_add2l IH.
by apply: le_trans (IH _ hl) _; rewrite ler_addr.
Qed.

(* ---------- the multipliers at a point of the system ---------- *)

(* The largest absolute entry. *)
Lemma largest_entry x : exists m, [/\ 0 <= m, forall j, `|nth 0 x j| <= m & m = 0 \/ exists j, m = `|nth 0 x j|].
Proof.
elim: x => [|y x [m [m0 hm hk]]]; first by exists 0; split=> // [i|]; [rewrite nth_nil normr0 | left].
case: (lerP `|y| m) => h.
  by exists m; split=> // [[|i]|] //=; case: hk => [->|[k ->]]; [left | right; exists k.+1].
by exists `|y|; split=> // [[|i]|] //=; [apply: le_trans (hm i) (ltW h) | right; exists 0%N].
Qed.

(* one column: lambda |y| <= sigma y + v |y| *)
Lemma implied_bound (l u : bool) sigma (y : R) : (l -> 0 <= y) -> (u -> y <= 0) ->
  embed (implied l u sigma).1 * `|y| <= embed sigma * y + embed (implied l u sigma).2 * `|y|.
Proof.
case: l u => [] [] /= hl hu.
- have -> : y = 0 by apply/eqP; rewrite eq_le hl ?hu.
  by rewrite normr0 !mulr0 addr0.
- rewrite (ger0_norm (hl isT)) -mulrDl -embedD.
  by have -> : Z.add sigma (Z.max 0 (Z.opp sigma)) = Z.max 0 sigma by lia.
- rewrite (ler0_norm (hu isT)) -subr_ge0.
  have -> : Z.max 0 (Z.opp sigma) = Z.sub (Z.max 0 sigma) sigma by lia.
  rewrite -[Z.sub _ _]/(Z.add _ (Z.opp _)) embedD embed_opp.
  move: (embed (Z.max 0 sigma)) (embed sigma) => v e.
  have -> : e * y + v * - y - (v + - e) * - y = 0 by ring.
  by [].
- by rewrite mul0r embed_abs -normrM -ler_subl_addl sub0r; rewrite -normrN ler_norm.
Qed.
Lemma implied_ge0 l u sigma : Z.le Z0 (implied l u sigma).1 /\ Z.le Z0 (implied l u sigma).2.
Proof. by case: l; case: u => /=; split; lia. Qed.
Lemma implied_In_ge0 s sigma lv : List.In lv (implied_multipliers s sigma) -> Z.le Z0 lv.1 /\ Z.le Z0 lv.2.
Proof. rewrite implied_multipliersE => h; have [[[l u] c] _ ->] := In_map h; exact: implied_ge0. Qed.
Lemma residual_norm_ge0 l : (forall lv, List.In lv l -> Z.le Z0 lv.2) -> Z.le Z0 (residual_norm l).
Proof.
elim: l => [|lv l IH] h //; rewrite residual_norm_cons.
have := h lv (or_introl erefl); have := IH (fun a ha => h a (or_intror ha)); lia.
Qed.

(* all columns: sum of lambda_j |x_j| <= sigma.x + sum of v_j |x_j| *)
Lemma columns_bound lower upper sigma x :
  (forall j, nth false lower j -> 0 <= nth 0 x j) -> (forall j, nth false upper j -> nth 0 x j <= 0) ->
  size lower = size x -> size upper = size x -> size sigma = size x ->
  let lvs := [seq implied luv.1.1 luv.1.2 luv.2 | luv <- zip (zip lower upper) sigma] in
  \sum_(a <- zip lvs x) embed a.1.1 * `|a.2| <= dotR sigma x + \sum_(a <- zip lvs x) embed a.1.2 * `|a.2|.
Proof.
elim: x lower upper sigma => [|y x IH] [|l lower] [|u upper] [|c sigma] //=; first by rewrite !big_nil addr0.
move=> hl hu [e1] [e2] [e3]; rewrite !big_cons /= addrACA; apply: ler_add.
  by apply: implied_bound; [apply: (hl 0%N) | apply: (hu 0%N)].
by apply: IH => // j; [apply: (hl j.+1) | apply: (hu j.+1)].
Qed.

(* sum of v_j |x_j| <= norm m *)
Lemma residual_bound (lvs : seq (Z * Z)) x m : (forall lv, List.In lv lvs -> Z.le Z0 lv.2) -> 0 <= m ->
  (forall j, `|nth 0 x j| <= m) -> \sum_(a <- zip lvs x) embed a.1.2 * `|a.2| <= embed (residual_norm lvs) * m.
Proof.
move=> + m0; elim: lvs x => [|lv lvs IH] x h hx; first by case: x {hx} => [|y x] /=; rewrite big_nil mul0r.
case: x hx => [|y x] hx /=; first by rewrite big_nil mulr_ge0 // embed_ge0 //; apply: residual_norm_ge0.
rewrite big_cons residual_norm_cons embedD mulrDl; apply: ler_add.
  by rewrite ler_wpmul2l ?(hx 0%N) // embed_ge0 //; apply: h; left.
by apply: IH => [a ha|j]; [apply: h; right | apply: (hx j.+1)].
Qed.

(* sum of w_i |normal_i.x| = - sigma.x *)
Lemma general_sum rs ws x n : (forall r, List.In r rs -> general_holds r x) ->
  \sum_(a <- zip rs ws) embed a.2 * `|dotR (normal a.1) x| =
  - dotR (combination ws [seq normal r | r <- rs] (zeros n)) x.
Proof.
rewrite dotR_combination dotR_zeros add0r.
elim: rs ws => [|r rs IH] [|w ws] h; rewrite ?big_nil /= ?oppr0 //.
rewrite big_cons IH; last by move=> a ha; apply: h; right.
rewrite opprD /=; congr (_ + _); rewrite -mulrN; congr (_ * _).
have := h r (or_introl erefl); rewrite /general_holds; case: ifP => _ hr; last by rewrite ler0_norm.
by rewrite hr normr0 oppr0.
Qed.

(* sum of w_i |normal_i.x| + sum of lambda_j |x_j| <= norm m *)
Lemma multipliers_bound s ws x m (lvs := implied_multipliers s (combination ws [seq normal r | r <- general s] (zeros (columns s)))) :
  size x = columns s -> system_holds s x -> size (lower_sides s) = columns s -> size (upper_sides s) = columns s ->
  (forall r, List.In r (general s) -> size (normal r) = columns s) -> 0 <= m -> (forall j, `|nth 0 x j| <= m) ->
  \sum_(a <- zip (general s) ws) embed a.2 * `|dotR (normal a.1) x| + \sum_(a <- zip lvs x) embed a.1.1 * `|a.2|
    <= embed (residual_norm lvs) * m.
Proof.
move=> sx [hg hl hu] s1 s2 s3 m0 hm.
have hlv lv : List.In lv lvs -> Z.le Z0 lv.2 by case/implied_In_ge0.
apply: le_trans (residual_bound hlv m0 hm).
rewrite (general_sum ws (columns s) hg) /lvs implied_multipliersE addrC ler_subl_addr addrC.
apply: columns_bound => //; rewrite ?s1 ?s2 ?sx //.
by apply: size_combination; rewrite ?zerosE ?size_nseq // => a h; have [r /s3 hr ->] := In_map h.
Qed.

(* The terms of these sums are not negative. *)
Lemma general_terms_ge0 rs ws x : signs_ok rs ws -> (forall r, List.In r rs -> general_holds r x) ->
  forall a, List.In a (zip rs ws) -> 0 <= embed a.2 * `|dotR (normal a.1) x|.
Proof.
case/signs_okP=> _ hs hg [r w] h /=; have [hr|hw] := hs _ _ h; last by rewrite mulr_ge0 // embed_ge0.
have [hr' _] := In_zip h; have := hg r hr'; rewrite /general_holds hr => ->.
by rewrite normr0 mulr0.
Qed.
Lemma side_terms_ge0 s sigma x a : List.In a (zip (implied_multipliers s sigma) x) -> 0 <= embed a.1.1 * `|a.2|.
Proof. by case: a => lv y h; have [/implied_In_ge0[h1 _] _] := In_zip h; rewrite mulr_ge0 // embed_ge0. Qed.

(* a column with both sides is zero *)
Lemma fixed_zero s x j : system_holds s x -> nth false (fixed_columns s) j -> nth 0 x j = 0.
Proof.
case=> _ hl hu; rewrite /fixed_columns tmap2E => h.
have hj : (j < size (zip (lower_sides s) (upper_sides s)))%N.
  by rewrite -(size_map (fun ab => ab.1 && ab.2)); case: ltnP h => // /(nth_default false) ->.
move: h; rewrite (nth_map (false, false)) // nth_zip_cond hj => /andP[h1 h2].
by apply/eqP; rewrite eq_le hl ?hu.
Qed.

(* ---------- the margin ---------- *)

(* If t_e >= 0, and norm q_e < g w_e unless t_e = 0, then norm * (sum of q_e t_e) <= g * (sum of w_e t_e), and where these are
   equal the sum of q_e t_e is 0. *)
Lemma exceeding (A : Type) (l : seq A) (equality : A -> bool) (w : A -> Z) (t : A -> R) (qs : seq Z) (g norm : Z)
  (Q := \sum_(a <- zip qs [seq t e | e <- l]) embed a.1 * a.2) (W := \sum_(e <- l) embed (w e) * t e) :
  (forall e, List.In e l -> 0 <= t e) -> (forall e, List.In e l -> equality e -> t e = 0) -> size qs = size l ->
  all (fun eq => equality eq.1 || Z.ltb (Z.mul norm eq.2) (Z.mul g (w eq.1))) (zip l qs) ->
  embed norm * Q <= embed g * W /\ (embed g * W <= embed norm * Q -> Q = 0).
Proof.
rewrite {}/Q {}/W; elim: l qs => [|e l IH] [|q qs] // ht heq; first by rewrite !big_nil !mulr0.
case=> hq /= /andP[hw hl]; rewrite !big_cons /=.
have [h1 h2] := IH qs (fun e he => ht e (or_intror he)) (fun e he => heq e (or_intror he)) hq hl.
set Q := \sum_(a <- zip _ _) _ in h1 h2 *; set W := \sum_(a <- l) _ in h1 h2 *.
have [t0|t0] := eqVneq (t e) 0; first by rewrite t0 !mulr0 !add0r.
have {}hw : embed norm * embed q < embed g * embed (w e) :> R.
  have : ~~ equality e by apply/negP => h; case/negP: t0; apply/eqP; apply: heq => //; left.
  by move/negbTE => he; rewrite he /= in hw; rewrite -!embedM; apply: embed_lt.
have {}t0 : 0 < t e by rewrite lt_neqAle eq_sym t0 ht //; left.
have h : embed norm * (embed q * t e + Q) < embed g * (embed (w e) * t e + W).
  by rewrite !mulrDr; apply: ltr_le_add => //; rewrite !mulrA ltr_pmul2r.
by split; [exact: ltW | rewrite leNgt h].
Qed.

(* every column is inside or beside, none outside *)
Lemma place_sidesP lower upper marks out places : place_sides lower upper marks out = Some places -> size upper = size lower ->
  exists2 t, places = rev out ++ t & size t = size lower /\ forall p, List.In p t -> is_inside p || is_beside p.
Proof.
elim: lower upper marks out => [|l lower IH] [|u upper] marks out //=.
  by case: marks => // [[<-]] _; exists [::]; rewrite // rev_append_cat.
case: (if l then _ else _) => a marks'; case: (if u then _ else _) => b marks''.
case: ifP => // _ /IH h [/h[t -> [ht hp]]]; rewrite rev_cons cat_rcons.
by eexists; first by []; split=> [|p [<-|/hp]] //=; [rewrite ht | case: ifP].
Qed.
(* so every x is supported *)
Lemma supported_everywhere places x : size x = size places -> (forall p, List.In p places -> is_inside p || is_beside p) ->
  supported places x.
Proof.
move=> sx hp; split=> // j h1 h2; case: (ltnP j (size places)) => hj; last by rewrite nth_default // sx.
by have := hp _ (nth_In Outside hj); rewrite (negbTE h1) (negbTE h2).
Qed.

(* one implied multiplier a column *)
Lemma size_implied s ws : size (lower_sides s) = columns s -> size (upper_sides s) = columns s ->
  (forall r, List.In r (general s) -> size (normal r) = columns s) ->
  size (implied_multipliers s (combination ws [seq normal r | r <- general s] (zeros (columns s)))) = columns s.
Proof.
move=> hl hu hn; have hs : size (combination ws [seq normal r | r <- general s] (zeros (columns s))) = columns s.
  by apply: size_combination; rewrite ?zerosE ?size_nseq // => a h; have [r /hn hr ->] := In_map h.
by rewrite implied_multipliersE size_map size_zip size_zip hl hu hs !minnn.
Qed.

(* A margin that is accepted leaves only 0 (C3). *)
Theorem margin_holds_sound s selected outside ws : margin_holds propose s selected outside ws ->
  forall x, size x = columns s -> system_holds s x -> forall j, nth 0 x j = 0.
Proof.
rewrite /margin_holds; case hf: fit => [marks|] //; rewrite split_atE size_ofE.
set in_S := take _ _; case hp: place_sides => [places|] //.
set scaled := scale_weights _ _; rewrite tmapE; set lvs := implied_multipliers _ _.
rewrite !size_ofE forallbE existsbE => /andP[/andP[/andP[/andP[/andP[/andP[/andP[_ /Nat.eqb_eq hl] /Nat.eqb_eq hu] _] _] hs] hn] hb].
move=> x sx sys; have [hg hxl hxu] := sys.
have [hss _] := signs_okP hs.
have hn' r : List.In r (general s) -> size (normal r) = columns s.
  by move=> hr; move/all_In: hn => /(_ _ (map_In normal hr)); rewrite size_ofE => /Nat.eqb_eq.
have [t et [ht hall]] := place_sidesP hp (etrans hu (esym hl)); rewrite /= in et; subst t.
have sup : supported places x by apply: supported_everywhere => //; rewrite sx ht hl.
case/hasP: hb => [attempt _]; case hi: bound_inverse => [b|] //.
have [g0 [_ hr2] hr3 _ _] : [/\ Z.lt 0 (gap b), size (pick in_S [seq normal r | r <- general s]) = count is_inside places /\
    size (row_bounds b) = size (pick in_S [seq normal r | r <- general s]), size (side_bounds b) = count is_beside places,
    (forall q, List.In q (row_bounds b) -> Z.le 0 q) /\ (forall g, List.In g (side_bounds b) -> Z.le 0 g)
  & forall a, List.In a (pick in_S [seq normal r | r <- general s]) -> size a = size places].
  by move: hi; apply: bound_inverse_shape.
have bound := bound_inverse_sound hi sup.
rewrite /exceeds !tmap2E !pickE !tmapE !forallbE !all_map => /andP[he1 he2].
rewrite !pickE in hr2 hr3 bound.
set norm := residual_norm lvs in he1 he2.
have hlv : size lvs = columns s by exact: size_implied.
have hfix : size (fixed_columns s) = columns s by rewrite /fixed_columns tmap2E size_map size1_zip ?hl ?hu.
(* the members of S: rows with their multipliers, columns with theirs *)
pose rows := mask in_S (zip (general s) scaled).
pose cols := mask [seq is_beside p | p <- places] (zip (zip (fixed_columns s) lvs) x).
have [erows escaled] : mask in_S (general s) = [seq e.1 | e <- rows] /\ mask in_S scaled = [seq e.2 | e <- rows].
  by rewrite !map_mask -/(unzip1 _) -/(unzip2 _) unzip1_zip ?unzip2_zip ?hss.
have [efix elvs ex] : [/\ mask [seq is_beside p | p <- places] (fixed_columns s) = [seq e.1.1 | e <- cols],
    mask [seq is_beside p | p <- places] lvs = [seq e.1.2 | e <- cols] & beside places x = [seq e.2 | e <- cols]].
  have e1 : unzip1 (zip (zip (fixed_columns s) lvs) x) = zip (fixed_columns s) lvs by rewrite unzip1_zip ?size1_zip ?hfix ?hlv ?sx.
  rewrite /beside !map_mask (map_comp fst fst) (map_comp snd fst) -/(unzip1 (zip _ x)) -/(unzip2 (zip _ x)) e1.
  by split; rewrite -?/(unzip1 _) -?/(unzip2 _) ?unzip1_zip ?unzip2_zip ?size1_zip ?hfix ?hlv ?sx.
have in_rows r w : List.In (r, w) rows -> List.In r (general s) by move=> h; have [] := In_zip (In_mask h).
have in_cols f lv y : List.In (f, lv, y) cols -> f -> y = 0.
  move=> h isf; have [j [hj _ e ->]] := In_zip_nth (false, (Z0, Z0)) 0 (In_mask h); apply: fixed_zero sys _.
  by move: e; rewrite nth_zip ?hfix ?hlv // => -[<- _].
(* rows and columns of S: gap * multipliers against norm * bounds *)
have [|||| r1 r2] := @exceeding _ rows (fun e => is_equality e.1) snd (fun e => `|dotR (normal e.1) x|) (row_bounds b) (gap b) norm.
- by [].
- by move=> [r w] /in_rows /hg h /= he; move: h; rewrite /general_holds he => ->; rewrite normr0.
- by rewrite hr2 -map_mask erows !size_map.
- by move: he1; rewrite erows escaled zip_zip_map !zip_mapl !all_map.
have [|||| c1 c2] := @exceeding _ cols (fun e => e.1.1) (fun e => e.1.2.1) (fun e => `|e.2|) (side_bounds b) (gap b) norm.
- by [].
- by move=> [[f lv] y] /in_cols h /= /h ->; rewrite normr0.
- by rewrite hr3 -(size_map snd) -ex /beside size_mask ?count_map // size_map ht hl sx.
- by move: he2; rewrite -[X in mask _ X](tmap2E andb) -/(fixed_columns s) -map_mask efix elvs -map_comp zip_zip_map !zip_mapl !all_map.
have {}bound j : embed (gap b) * `|nth 0 x j| <= \sum_(a <- zip (row_bounds b) [seq `|dotR (normal e.1) x| | e <- rows]) embed a.1 * a.2
    + \sum_(a <- zip (side_bounds b) [seq `|e.2| | e <- cols]) embed a.1 * a.2.
  by have := bound j; rewrite -map_mask erows -map_comp ex !zip_mapr !big_map.
move: r1 r2 c1 c2 bound; set Q1 := \sum_(a <- _) _; set Q2 := \sum_(a <- zip (side_bounds b) _) _.
set W1 := \sum_(a <- _) _; set W2 := \sum_(a <- cols) _ => r1 r2 c1 c2 bound.
have gap0 : 0 < embed (gap b) :> R by exact: embed_gt0.
have norm0 : 0 <= embed norm :> R by apply/embed_ge0/residual_norm_ge0 => lv /implied_In_ge0[].
have [m [m0 hm attained]] := largest_entry x.
(* W1 + W2 <= norm m *)
have hW : W1 + W2 <= embed norm * m.
  apply: le_trans (multipliers_bound scaled sx sys hl hu hn' m0 hm); apply: ler_add.
    exact: sum_mask_le (general_terms_ge0 hs hg).
  have -> : zip lvs x = [seq (e.1.2, e.2) | e <- zip (zip (fixed_columns s) lvs) x].
    by rewrite -(zip_mapl snd) -/(unzip2 _) unzip2_zip ?hfix ?hlv.
  rewrite big_map /=; apply: sum_mask_le => -[[f lv] y] h /=.
  have [h1 _] := In_zip h; have [_ /implied_In_ge0[h2 _]] := In_zip h1.
  by rewrite mulr_ge0 // embed_ge0.
(* gap m <= Q1 + Q2 *)
have hQ : embed (gap b) * m <= Q1 + Q2.
  case: attained => [m_0|[j ->] //]; rewrite m_0 mulr0.
  by have := bound (size x); rewrite nth_default // normr0 mulr0.
have h : embed (gap b) * W1 + embed (gap b) * W2 <= embed norm * Q1 + embed norm * Q2.
  rewrite -!mulrDr; apply: (@le_trans _ _ (embed (gap b) * (embed norm * m))); first by rewrite ler_pmul2l.
  by rewrite mulrCA ler_wpmul2l.
have q1 : Q1 = 0 by apply: r2; rewrite -(ler_add2r (embed (gap b) * W2)); apply: le_trans h _; rewrite ler_add2l.
have q2 : Q2 = 0 by apply: c2; rewrite -(ler_add2l (embed (gap b) * W1)); apply: le_trans h _; rewrite ler_add2r.
move=> j; have := bound j; rewrite q1 q2 addr0 pmulr_rle0 // normr_le0 => /eqP ->.
by [].
Qed.

(* ---------- exact multipliers ---------- *)

(* what exact_multipliers has checked *)
Lemma exact_multipliersP s ws implied
    (scaled := scale_weights (general s) ws)
    (lvs := implied_multipliers s (combination scaled [seq normal r | r <- general s] (zeros (columns s)))) :
  exact_multipliers s ws = Some implied ->
  [/\ signs_ok (general s) ws /\ signs_ok (general s) scaled, size (lower_sides s) = columns s /\ size (upper_sides s) = columns s,
      forall r, List.In r (general s) -> size (normal r) = columns s, residual_norm lvs = Z0 & implied = lvs].
Proof.
rewrite /exact_multipliers !size_ofE forallbE tmapE -/scaled -/lvs; case: ifP => //.
move=> /andP[/andP[/andP[/andP[/andP[h1 h2] /Nat.eqb_eq h3] /Nat.eqb_eq h4] h5] /Z.eqb_eq h6] [<-]; split=> // r hr.
by move/all_In: h5 => /(_ r hr); rewrite size_ofE => /Nat.eqb_eq.
Qed.

(* the shapes that exact_multipliers has checked *)
Lemma exact_multipliers_shape s ws implied : exact_multipliers s ws = Some implied ->
  [/\ size ws = size (general s), size (lower_sides s) = columns s /\ size (upper_sides s) = columns s,
      size implied = columns s & forall r, List.In r (general s) -> size (normal r) = columns s].
Proof.
case/exact_multipliersP=> [[/signs_okP[h1 _] _] [h2 h3] h4 _ ->]; split=> //; exact: size_implied.
Qed.

(* Rows whose multiplier is not zero, and columns with a positive implied multiplier, are zero on all of C (P3). *)
Theorem exact_multipliers_sound s ws implied : exact_multipliers s ws = Some implied ->
  forall x, size x = columns s -> system_holds s x ->
  (forall i, (i < size (general s))%N -> nth Z0 ws i <> Z0 -> dotR (nth [::] [seq normal r | r <- general s] i) x = 0) /\
  (forall j, Z.lt 0 (nth (Z0, Z0) implied j).1 -> nth 0 x j = 0).
Proof.
move=> h x sx sys; have [e1 _ hlv _] := exact_multipliers_shape h; have [hg _ _] := sys.
have [[_ hs] [hl hu] hn h0 ei] := exact_multipliersP h; rewrite {}ei in hlv *; move: h0 hlv.
set scaled := scale_weights _ _; set lvs := implied_multipliers _ _ => h0 hlv.
have [m [m0 hm _]] := largest_entry x.
have := multipliers_bound scaled sx sys hl hu hn m0 hm; rewrite -/lvs h0 mul0r.
set W1 := \sum_(a <- _) _; set W2 := \sum_(a <- zip lvs x) _ => hW.
have t1 := general_terms_ge0 hs hg; have t2 := @side_terms_ge0 s (combination scaled [seq normal r | r <- general s] (zeros (columns s))) x.
have p1 : 0 <= W1 by exact: sum_In_ge0.
have p2 : 0 <= W2 by exact: sum_In_ge0.
have z1 := sum_In_zero t1 (le_trans (ler_paddr p2 (lexx W1)) hW).
have z2 := sum_In_zero t2 (le_trans (ler_paddl p1 (lexx W2)) hW).
split=> [i hi hwi|j hj].
  have hr := nth_In no_row hi.
  rewrite (nth_map no_row) //; set r := nth _ (general s) i in hr *.
  have hsi : (i < size scaled)%N by rewrite (proj1 (signs_okP hs)).
  have := z1 _ (zip_In_nth no_row Z0 hi hsi) => /= /eqP; rewrite -/r mulf_eq0 normr_eq0.
  case/orP=> [|/eqP //]; rewrite embed_eq0 => /Z.eqb_eq.
  rewrite /scaled scale_weightsE (nth_map (no_row, Z0)) ?size1_zip ?e1 // nth_zip ?e1 //= -/r => h1.
  have hk : Z.le Z0 (Z.sub (binary r) (shift_of (general s))) by have := shift_of_le hr; lia.
  have {}h1 := proj1 (Z.shiftl_eq_0_iff _ _ hk) h1; by case: (Zmult_integral _ _ h1) => // /hwi.
case: (ltnP j (size lvs)) => hjl; last by rewrite nth_default in hj.
have hjx : (j < size x)%N by rewrite sx -hlv.
have := z2 _ (zip_In_nth (Z0, Z0) 0 hjl hjx) => /= /eqP; rewrite mulf_eq0 normr_eq0.
by case/orP=> [|/eqP //]; rewrite embed_eq0 => /Z.eqb_eq; lia.
Qed.

(* ---------- the support ---------- *)

(* the sides and their marks without an accumulator *)
Fixpoint side_list (j : nat) (lower upper : seq bool) : seq entry :=
  if lower is l :: lower' then if upper is u :: upper' then
    nseq l (Side j (Zneg xH)) ++ nseq u (Side j (Zpos xH)) ++ side_list j.+1 lower' upper' else [::] else [::].
Fixpoint mark_list (lower upper mark_lower mark_upper : seq bool) : seq bool :=
  match lower, upper, mark_lower, mark_upper with
  | l :: lower', u :: upper', ml :: mark_lower', mu :: mark_upper' =>
      nseq l ml ++ nseq u mu ++ mark_list lower' upper' mark_lower' mark_upper'
  | _, _, _, _ => [::]
  end.
Lemma sides_ontoE j lower upper out : sides_onto j lower upper out = rev out ++ side_list j lower upper.
Proof.
elim: lower upper j out => [|l lower IH] [|u upper] j out /=; rewrite ?rev_append_cat //.
by rewrite IH; case: l; case: u; rewrite ?rev_cons ?cat_rcons.
Qed.
Lemma sidesE s : sides s = side_list 0 (lower_sides s) (upper_sides s).
Proof. by rewrite /sides sides_ontoE. Qed.
Lemma side_marks_ontoE lower upper ml mu out : side_marks_onto lower upper ml mu out = rev out ++ mark_list lower upper ml mu.
Proof.
elim: lower upper ml mu out => [|l lower IH] [|u upper] [|a ml] [|b mu] out /=; rewrite ?rev_append_cat //.
by rewrite IH; case: l; case: u; rewrite ?rev_cons ?cat_rcons.
Qed.
Lemma side_marksE s ml mu : side_marks s ml mu = mark_list (lower_sides s) (upper_sides s) ml mu.
Proof. by rewrite /side_marks side_marks_ontoE. Qed.

(* a marked side: a lower or an upper one, with its mark *)
Lemma In_marked j lower upper ml mu e : List.In e (mask (mark_list lower upper ml mu) (side_list j lower upper)) ->
  exists k, (k < size lower)%N /\ ([/\ e = Side (j + k) (Zneg xH), nth false lower k & nth false ml k] \/
                                 [/\ e = Side (j + k) (Zpos xH), nth false upper k & nth false mu k]).
Proof.
elim: lower upper ml mu j => [|l lower IH] [|u upper] [|a ml] [|b mu] j //=.
rewrite mask_cat ?size_nseq // mask_cat ?size_nseq // => /In_cat[|/In_cat[|/IH[k [hk h]]]].
- by case: l; case: a => //= -[<-|] //; exists 0%N; rewrite addn0; split=> //; left.
- by case: u; case: b => //= -[<-|] //; exists 0%N; rewrite addn0; split=> //; right.
- by exists k.+1; rewrite addnS -addSn.
Qed.

(* The support consists of rows and sides of the system, and each is zero on all of C. *)
Lemma support_zero s ws implied e : exact_multipliers s ws = Some implied -> List.In e (support s ws implied) ->
  entry_ok (columns s) e /\ forall x, size x = columns s -> system_holds s x -> entry_of_list e x = 0.
Proof.
move=> h; have [e1 [hl hu] hlv hn] := exact_multipliers_shape h.
rewrite /support pickE !tappE /entries_of tappE tmapE mask_cat; last by rewrite tmap2E !size_map size1_zip ?e1.
case/In_cat=> [he|].
  rewrite -map_mask in he; have [r hr ->] := In_map he => {he}; rewrite /= hn; last exact: In_mask hr.
  split=> // x sx sys; have [hg _ _] := sys; have [hx _] := exact_multipliers_sound h sx sys.
  have [i [hi hiw [er marked]]] := In_mask_nth no_row hr.
  rewrite tmap2E size_map size1_zip ?e1 // in hiw.
  move: marked; rewrite tmap2E (nth_map (no_row, Z0)) ?size1_zip ?e1 // nth_zip ?e1 //= -er.
  case heq: (is_equality r); [move=> _ | move=> hwi].
    by have := hg r (In_mask hr); rewrite /general_holds heq.
  by have := hx i hi; rewrite (nth_map no_row) // -er; apply => h0; rewrite h0 in hwi.
rewrite side_marksE sidesE => /In_marked[k [hk hside]]; rewrite hl in hk.
have hp : nth false (positive implied) k -> Z.lt 0 (nth (Z0, Z0) implied k).1.
  by rewrite /positive tmapE (nth_map (Z0, Z0)) ?hlv // => /Z.ltb_lt.
have hfix : size (fixed_columns s) = columns s by rewrite /fixed_columns tmap2E size_map size1_zip ?hl ?hu.
have hpos : size (positive implied) = columns s by rewrite /positive tmapE size_map.
have zero x : size x = columns s -> system_holds s x -> nth false (fixed_columns s) k || nth false (positive implied) k ->
    nth 0 x k = 0.
  move=> sx sys /orP[|/hp]; first exact: fixed_zero.
  by have [_] := exact_multipliers_sound h sx sys; apply.
have nth2 (f : bool -> bool -> bool) : nth false (tmap2 f (fixed_columns s) (positive implied)) k =
    f (nth false (fixed_columns s) k) (nth false (positive implied) k).
  by rewrite tmap2E (nth_map (false, false)) ?size1_zip ?hfix ?hpos // nth_zip ?hfix ?hpos.
case: hside => -[-> _]; rewrite nth2 => marked; split=> [|x sx sys] /=; auto; rewrite zero ?mulr0 //.
by case/andP: marked => _ ->; rewrite orbT.
Qed.

(* ---------- the rank of the support ---------- *)

(* a row of the matrix times x is the entry at x *)
Lemma entry_at_column n (e : entry) x : size x = n -> entry_ok n e ->
  (entry_vector R n e *m (\col_j nth 0 x j : 'cV[R]_n)) 0 0 = entry_of_list e x.
Proof.
move=> sx; rewrite mxE; case: e => [r|j sign] /= h.
  by rewrite (dotR_sum _ sx); apply: eq_bigr => j _; rewrite !mxE.
case: h => hj _; rewrite (bigD1 (Ordinal hj)) //= !mxE eqxx mulr1 big1 ?addr0 // => k hk.
by rewrite !mxE -[(k : nat) == j]/(k == Ordinal hj) (negbTE hk) mulr0 mul0r.
Qed.

(* Entries of full rank that vanish at x leave x = 0. *)
Lemma full_rank_zero n (es : seq entry) x : size x = n -> (forall e, List.In e es -> entry_ok n e) ->
  \rank (entries_matrix R n es) = n -> (forall e, List.In e es -> entry_of_list e x = 0) -> forall j, nth 0 x j = 0.
Proof.
move=> sx hes hr hz j; case: (ltnP j n) => hj; last by rewrite nth_default ?sx.
have /row_fullP[B hB] : row_full (entries_matrix R n es) by rewrite /row_full hr.
pose X : 'cV[R]_n := \col_j nth 0 x j.
have hX : entries_matrix R n es *m X = 0.
  apply/matrixP => i k; rewrite ord1 [RHS]mxE.
  have he : List.In (nth (Side 0 Z0) es i) es by exact: nth_In.
  rewrite -(hz _ he) -(entry_at_column sx (hes _ he)) !mxE; apply: eq_bigr => c _; by rewrite !mxE.
have : X = 0 by rewrite -[X]mul1mx -hB -mulmxA hX mulmx0.
by move/matrixP/(_ (Ordinal hj) 0); rewrite !mxE.
Qed.

(* Evidence for a system that only 0 satisfies is right (C3, C6). *)
Theorem check_trivial_sound s e : check_trivial propose s e ->
  forall x, size x = columns s -> system_holds s x -> forall j, nth 0 x j = 0.
Proof.
case: e => //= [selected outside ws|ws r]; first exact: margin_holds_sound.
case h: exact_multipliers => [implied|] //; case hr: check_rank => [b|]; last by rewrite andbF.
rewrite andbT => /andP[/Nat.eqb_eq rankE _] x sx sys.
have hs e he := @support_zero s ws implied e h he.
have [hrank _] := check_rank_sound R (fun e he => proj1 (hs e he)) hr.
apply: (@full_rank_zero (columns s) (support s ws implied)) => //.
- by move=> e /hs[].
- by rewrite hrank rankE.
- by move=> e /hs[_]; apply.
Qed.
End TrivialSound.
