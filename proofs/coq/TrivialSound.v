(* Evidence that only 0 satisfies a system: a margin (C3), or exact multipliers (P3, C6).  For exact multipliers nothing is left of
   the sum of the conditions, so every term is 0: the equalities, and the rows and sides with a multiplier that is not 0, vanish on
   the whole cone.  If this support has full rank, the cone is {0}. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Systems Checker.
From ExactRelu Require Import EntryVectors InverseSound RankSound MultipliersSound MarginSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section TrivialSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x : seq R) (s : system).

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
have t1 := general_terms_ge0 hs hg.
have t2 := @side_terms_ge0 R s (combination scaled [seq normal r | r <- general s] (zeros (columns s))) x.
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

Fixpoint mark_list (lower upper mark_lower mark_upper : seq bool) : seq bool :=
  match lower, upper, mark_lower, mark_upper with
  | l :: lower', u :: upper', ml :: mark_lower', mu :: mark_upper' =>
      nseq l ml ++ nseq u mu ++ mark_list lower' upper' mark_lower' mark_upper'
  | _, _, _, _ => [::]
  end.
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

(* marks of the entries: of the rows by their multipliers, of the sides by their columns *)
Definition entry_marks s ws implied (marked : general_row -> Z -> bool) (lower upper : bool -> bool -> bool) : seq bool :=
  tapp (tmap2 marked (general s) ws)
    (side_marks s (tmap2 lower (fixed_columns s) (positive implied)) (tmap2 upper (fixed_columns s) (positive implied))).
Lemma size_fixed_columns s : size (lower_sides s) = columns s -> size (upper_sides s) = columns s -> size (fixed_columns s) = columns s.
Proof. exact: size_tmap2. Qed.
Lemma size_mark_list j lower upper ml mu : size upper = size lower -> size ml = size lower -> size mu = size lower ->
  size (mark_list lower upper ml mu) = size (side_list j lower upper).
Proof.
elim: lower upper ml mu j => [|a lo IH] [|b up] [|c ml] [|d mu] j //= [h1] [h2] [h3].
by rewrite !size_cat !size_nseq (IH _ _ _ j.+1).
Qed.
Lemma size_entry_marks s ws implied marked lower upper : exact_multipliers s ws = Some implied ->
  size (entry_marks s ws implied marked lower upper) = size (entries_of s).
Proof.
case/exact_multipliers_shape=> e1 [hl hu] hlv _; have hfix := size_fixed_columns hl hu.
have hpos : size (positive implied) = columns s by rewrite /positive tmapE size_map.
rewrite /entry_marks /entries_of !tappE !size_cat (size_tmap2 _ erefl e1) tmapE size_map sidesE side_marksE.
by congr (_ + _)%N; apply: size_mark_list; rewrite ?(size_tmap2 _ hfix hpos) hl.
Qed.

(* If the marks demand an equality or a multiplier that is not 0, a column with both sides or with a positive multiplier, then the
   marked entries vanish on all of C. *)
Lemma marked_entry_zero s ws implied (marked : general_row -> Z -> bool) (lower upper : bool -> bool -> bool) e :
  exact_multipliers s ws = Some implied ->
  (forall r w, marked r w -> is_equality r \/ w <> Z0) -> (forall f p, lower f p -> f || p) -> (forall f p, upper f p -> f || p) ->
  List.In e (mask (entry_marks s ws implied marked lower upper) (entries_of s)) ->
  entry_ok (columns s) e /\ forall x, size x = columns s -> system_holds s x -> entry_of_list e x = 0.
Proof.
move=> h hmarked hlower hupper; have [e1 [hl hu] hlv hn] := exact_multipliers_shape h.
have hfix := size_fixed_columns hl hu.
have hpos : size (positive implied) = columns s by rewrite /positive tmapE size_map.
rewrite /entry_marks /entries_of !tappE tmapE mask_cat; last by rewrite (size_tmap2 _ erefl e1) size_map.
case/In_cat=> [he|].
  rewrite -map_mask in he; have [r hr ->] := In_map he => {he}; rewrite /= hn; last exact: In_mask hr.
  split=> // x sx sys; have [hg _ _] := sys; have [hx _] := exact_multipliers_sound h sx sys.
  have [i [hi _ [er]]] := In_mask_nth no_row hr; rewrite (nth_tmap2 no_row Z0 _ erefl e1) hi -er /= => /hmarked[heq|hw].
    by have := hg r (In_mask hr); rewrite /general_holds heq.
  by have := hx i hi; rewrite (nth_map no_row) // -er; apply.
rewrite side_marksE sidesE => /In_marked[k [hk hside]]; rewrite hl in hk.
have zero x : size x = columns s -> system_holds s x -> nth false (fixed_columns s) k || nth false (positive implied) k ->
    nth 0 x k = 0.
  move=> sx sys /orP[|hp]; first exact: fixed_zero.
  have [_] := exact_multipliers_sound h sx sys; apply.
  by move: hp; rewrite /positive tmapE (nth_map (Z0, Z0)) ?hlv // => /Z.ltb_lt.
case: hside => -[-> _]; rewrite (nth_tmap2 false false _ hfix hpos) add0n hk /= => marked_k.
  by split=> [|x sx sys]; [auto | rewrite zero ?mulr0 ?hlower].
by split=> [|x sx sys]; [auto | rewrite zero ?mulr0 ?hupper].
Qed.

(* The support consists of rows and sides of the system, and each is zero on all of C. *)
Lemma support_zero s ws implied e : exact_multipliers s ws = Some implied -> List.In e (support s ws implied) ->
  entry_ok (columns s) e /\ forall x, size x = columns s -> system_holds s x -> entry_of_list e x = 0.
Proof.
move=> h; rewrite /support pickE; apply: (marked_entry_zero h) => [r w /orP[|/Z.eqb_spec]|f p //|f p /andP[_ ->]]; auto.
by rewrite orbT.
Qed.

(* ---------- the rank of the support ---------- *)

(* Evidence for a system that only 0 satisfies is right (C3, C6). *)
Theorem check_trivial_sound s e : check_trivial propose s e ->
  forall x, size x = columns s -> system_holds s x -> forall j, nth 0 x j = 0.
Proof.
case: e => //= [selected outside ws|ws r]; first exact: margin_holds_sound.
case h: exact_multipliers => [implied|] //; case hr: check_rank => [b|]; last by rewrite andbF.
rewrite andbT => /andP[/Nat.eqb_eq rankE _] x sx sys.
have hs e he := @support_zero s ws implied e h he.
have [hrank _] := check_rank_sound R (fun e he => proj1 (hs e he)) hr.
apply: (vector_of_eq0 sx); apply: (full_rank_zero (es := support s ws implied)); first by rewrite hrank rankE.
by move=> e /hs[_ he]; rewrite entry_at_vector_of //; apply: he.
Qed.
End TrivialSound.
