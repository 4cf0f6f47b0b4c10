(* A system of linear conditions, the cone C of its solutions, and multipliers of its conditions (C3, P3): what the sum of the
   conditions says at a point x of C.  The sum of w_i |normal_i.x| and of lambda_j |x_j| (lambda_j: the implied multipliers of the
   sides) is at most norm * max |x_j|, where norm is the size of what is left of the sum. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Systems Checker.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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
Proof. by rewrite /shift_of -fold_leftE => /((fold_min binary rs Z0).2 r). Qed.

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

Section MultipliersSound.
Variable R : realFieldType.
Implicit Types (x : seq R) (s : system).

(* a row's condition at x; x is in C *)
Definition general_holds (r : general_row) x : Prop := if is_equality r then dotR (normal r) x = 0 else dotR (normal r) x <= 0.
Definition system_holds s x : Prop :=
  [/\ forall r, List.In r (general s) -> general_holds r x, forall j, nth false (lower_sides s) j -> 0 <= nth 0 x j
    & forall j, nth false (upper_sides s) j -> nth 0 x j <= 0].

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

(* one implied multiplier a column *)
Lemma size_implied s ws : size (lower_sides s) = columns s -> size (upper_sides s) = columns s ->
  (forall r, List.In r (general s) -> size (normal r) = columns s) ->
  size (implied_multipliers s (combination ws [seq normal r | r <- general s] (zeros (columns s)))) = columns s.
Proof.
move=> hl hu hn; have hs : size (combination ws [seq normal r | r <- general s] (zeros (columns s))) = columns s.
  by apply: size_combination; rewrite ?zerosE ?size_nseq // => a h; have [r /hn hr ->] := In_map h.
by rewrite implied_multipliersE size_map size_zip size_zip hl hu hs !minnn.
Qed.
End MultipliersSound.
