(* C3: a margin proves that only 0 satisfies a system.  For x in the cone, the sum of the conditions with their multipliers is at
   most norm * max |x_j|; an approximate inverse of the members of S bounds max |x_j| by multiples of |normal_i.x| and |x_j| that
   the multipliers exceed.  So all these terms are 0, and max |x_j| with them. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Systems Checker.
From ExactRelu Require Import InverseSound MultipliersSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section MarginSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x : seq R) (s : system).

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

(* A margin that is accepted leaves only 0 (C3). *)
Theorem margin_holds_sound s selected outside ws : margin_holds propose s selected outside ws ->
  forall x, size x = columns s -> system_holds s x -> forall j, nth 0 x j = 0.
Proof.
rewrite /margin_holds; case hf: fit => [marks|] //; rewrite split_atE size_ofE.
set in_S := take _ _; case hp: place_sides => [places|] //.
set scaled := scale_weights _ _; rewrite tmapE; set lvs := implied_multipliers _ _.
rewrite !size_ofE !forallbE => /andP[/andP[/andP[/andP[/andP[/andP[/andP[/andP[/andP[_ /Nat.eqb_eq hl] /Nat.eqb_eq hu] _] _] hs] hn] _] _] hb].
move=> x sx sys; have [hg hxl hxu] := sys.
have [hss _] := signs_okP hs.
have hn' r : List.In r (general s) -> size (normal r) = columns s.
  by move=> hr; move/all_In: hn => /(_ _ (map_In normal hr)); rewrite size_ofE => /Nat.eqb_eq.
have [t et [ht hall]] := place_sidesP hp (etrans hu (esym hl)); rewrite /= in et; subst t.
have sup : supported places x by apply: supported_everywhere => //; rewrite sx ht hl.
have [attempt [b [hi]]] := some_boundP hb.
have [g0 [_ hr2] hr3 _ _] := bound_inverse_shape hi.
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
- by move: he1; rewrite erows escaled zip_map !zip_map_left !all_map.
have [|||| c1 c2] := @exceeding _ cols (fun e => e.1.1) (fun e => e.1.2.1) (fun e => `|e.2|) (side_bounds b) (gap b) norm.
- by [].
- by move=> [[f lv] y] /in_cols h /= /h ->; rewrite normr0.
- by rewrite hr3 -(size_map snd) -ex /beside size_mask ?count_map // size_map ht hl sx.
- by move: he2; rewrite -[X in mask _ X](tmap2E andb) -/(fixed_columns s) -map_mask efix elvs -map_comp zip_map !zip_map_left !all_map.
have {}bound j : embed (gap b) * `|nth 0 x j| <= \sum_(a <- zip (row_bounds b) [seq `|dotR (normal e.1) x| | e <- rows]) embed a.1 * a.2
    + \sum_(a <- zip (side_bounds b) [seq `|e.2| | e <- cols]) embed a.1 * a.2.
  by have := bound j; rewrite -map_mask erows -map_comp ex !zip_map_right !big_map.
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
    by rewrite -(zip_map_left snd) -/(unzip2 _) unzip2_zip ?hfix ?hlv.
  rewrite big_map /=; apply: sum_mask_le => -[[f lv] y] h /=.
  have [h1 _] := In_zip h; have [_ /implied_In_ge0[h2 _]] := In_zip h1.
  by rewrite mulr_ge0 // embed_ge0.
(* gap m <= Q1 + Q2 *)
have hQ : embed (gap b) * m <= Q1 + Q2.
  case: attained => [m_0|[j _ ->] //]; rewrite m_0 mulr0.
  by have := bound (size x); rewrite nth_default // normr0 mulr0.
have h : embed (gap b) * W1 + embed (gap b) * W2 <= embed norm * Q1 + embed norm * Q2.
  rewrite -!mulrDr; apply: (@le_trans _ _ (embed (gap b) * (embed norm * m))); first by rewrite ler_pmul2l.
  by rewrite mulrCA ler_wpmul2l.
have q1 : Q1 = 0 by apply: r2; rewrite -(ler_add2r (embed (gap b) * W2)); apply: le_trans h _; rewrite ler_add2l.
have q2 : Q2 = 0 by apply: c2; rewrite -(ler_add2l (embed (gap b) * W1)); apply: le_trans h _; rewrite ler_add2r.
move=> j; have := bound j; rewrite q1 q2 addr0 pmulr_rle0 // normr_le0 => /eqP ->.
by [].
Qed.

End MarginSound.
