(* From the evidence to the pre-image around a base point: one point (P2, P4), the dimension (C6), bounded or not (P2). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers VectorFacts ApproximateInverse Farkas Polyhedron Claims Systems Checker.
From ExactRelu Require Import RankSound RaySound TrivialSound LayerSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists of entries ---------- *)

Section Entries.
Variables (R : realFieldType) (n : nat).
Implicit Types (es : seq entry) (e : entry) (u : 'cV[R]_n).

(* M u = 0 says that every entry of the list vanishes at u *)
Lemma entries_matrix_zero es u :
  entries_matrix R n es *m u = 0 <-> forall e, List.In e es -> entry_at_vector e u = 0.
Proof.
have E (i : 'I_(size es)) : (entries_matrix R n es *m u) i 0 = entry_at_vector (nth (Side 0 Z0) es i) u.
  by rewrite /entry_at_vector [LHS]mxE [RHS]mxE; apply: eq_bigr => k _; rewrite /entries_matrix mxE.
split=> [h e he|h]; last by apply/colP => i; rewrite E [RHS]mxE; apply: h; apply/(In_nth (Side 0 Z0)); exists i.
have [i hi <-] := proj1 (In_nth (Side 0 Z0) es e) he.
by rewrite -(E (Ordinal hi)) h mxE.
Qed.
Lemma upward_vector e : entry_ok n e -> exists2 s : R, s != 0 & entry_vector R n e = s *: entry_vector R n (upward e).
Proof.
case: e => [r _|j sign [_ hs]] /=; first by exists 1; rewrite ?oner_eq0 ?scale1r.
exists (embed sign); first by rewrite embed_eq0; case: hs => ->.
by apply/rowP => k; rewrite !mxE mul1r.
Qed.
Lemma upward_ok e : entry_ok n e -> entry_ok n (upward e).
Proof. by case: e => //= j sign [hj _]; split=> //; left. Qed.
Lemma upward_zero u e : entry_ok n e -> entry_at_vector (upward e) u = 0 <-> entry_at_vector e u = 0.
Proof.
case/upward_vector=> s s0 h; rewrite /entry_at_vector h -scalemxAl; set w := _ *m u.
have -> : (s *: w) 0 0 = s * w 0 0 by rewrite mxE.
by split=> [->|/eqP]; rewrite ?mulr0 // mulf_eq0 (negbTE s0) => /eqP.
Qed.
Lemma upward_span k (M : 'M[R]_(k, n)) e : entry_ok n e -> (entry_vector R n (upward e) <= M)%MS -> (entry_vector R n e <= M)%MS.
Proof. by case/upward_vector=> s _ ->; apply: scalemx_sub. Qed.
End Entries.

Lemma In_mask_or (T : Type) m (l : seq T) a : size m = size l -> List.In a l ->
  List.In a (mask m l) \/ List.In a (mask [seq ~~ b | b <- m] l).
Proof.
elim: m l => [|b m IH] [|c l] //= [hs] [->|h]; first by case: b => /=; [left | right]; left.
by have [h'|h'] := IH _ hs h; case: b => /=; [left; right | left | right | right; right].
Qed.
Lemma nth_In_mask (T : Type) m (l : seq T) (d a : T) i : (i < size l)%N -> nth false m i -> nth d l i = a -> List.In a (mask m l).
Proof.
elim: l m i => [|c l IH] [|b m] [|i] //= hi; first by move=> -> ->; left.
by move=> h1 h2; have := IH _ _ hi h1 h2; case: b => //=; right.
Qed.

Lemma size_mark_list j lower upper ml mu : size upper = size lower -> size ml = size lower -> size mu = size lower ->
  size (mark_list lower upper ml mu) = size (side_list j lower upper).
Proof.
elim: lower upper ml mu j => [|a lo IH] [|b up] [|c ml] [|d mu] j //= [h1] [h2] [h3].
by rewrite !size_cat !size_nseq (IH _ _ _ j.+1).
Qed.

Lemma sides_no_equality s e : List.In e (sides s) -> entry_equality e = false.
Proof.
rewrite sidesE; elim: (lower_sides s) (upper_sides s) 0%N => [|a lo IH] [|b up] j //= h.
have [|h'] := proj1 (In_cat _ _ _) h; first by case: a {h} => //= -[<-|].
by have [|/IH] := proj1 (In_cat _ _ _) h'; first by case: b {h h'} => //= -[<-|].
Qed.

Lemma entry_atE d j : entry_at d j = nth Z0 d j.
Proof. by elim: d j => [|a d IH] [|j] //=. Qed.
Lemma nth_embed (R : realFieldType) (d : seq Z) j : nth 0 [seq embed a : R | a <- d] j = embed (nth Z0 d j).
Proof. by elim: d j => [|a d IH] [|j] //=. Qed.

(* ---------- at a base point ---------- *)

Section AtBasePoint.
Variables (R : realFieldType) (propose : oracle) (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let x0 := vector_of n (rational R x).
Let y := layer_at l (rational R x).
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n) (marks : size (rectified l) = size (rows l)).
Hypotheses (point_x : is_point n x) (domain_K : is_domain n K) (contains_x : contains K x).
Notation L := (conditions R l K x z).
Notation X := (preimage (l := l) K y).

Lemma slack_L c : List.In c L -> ~~ equality c -> 0 <= slack c.
Proof. exact: (slack_ge0 (R := R) (l := l) point_x domain_K contains_x). Qed.
Lemma shifted u : X (x0 + u) <-> polyhedron L u.
Proof. exact: preimage_polyhedron. Qed.
Lemma shifted_back v : X v <-> polyhedron L (v - x0).
Proof. by rewrite -shifted addrCA subrr addr0. Qed.

(* the base point itself *)
Lemma base_point_in_preimage : X x0.
Proof. by rewrite -[x0]addr0 shifted; apply: (polyhedron0 slack_L). Qed.

(* ---------- one point ---------- *)

Lemma preimage_one_point : (forall u, polyhedron L u -> u = 0) -> forall v, X v <-> v = x0.
Proof.
move=> h v; split=> [/shifted_back/h/eqP|->]; last exact: base_point_in_preimage.
by rewrite subr_eq0 => /eqP.
Qed.
Lemma one_point_dimension : (forall v, X v <-> v = x0) -> affine_dimension X 0.
Proof.
move=> h; exists x0, 0; split=> [||[]//|v /h ->]; first exact: base_point_in_preimage.
  by rewrite /row_free mxrank0.
by rewrite subrr trmx0 sub0mx.
Qed.


Notation active_entries := [seq General r | r <- active_rows l z].
Notation tight_entries := (entries_of (tight_system l K x z)).
Notation recession_entries := (entries_of (recession_system l K z)).

(* The rows of A_P vanish in the tight cone. *)
Lemma active_in e : List.In e active_entries -> exists2 r, List.In r (active_rows l z) & e = General r /\ entry_equality e.
Proof.
by case/In_map_iff=> r hr ->; exists r => //; case/In_active_rows: hr => a _ [_ ->].
Qed.
Lemma active_ok e : List.In e active_entries -> entry_ok n e.
Proof. by case/active_in=> r hr [-> _]; apply: (active_entry_ok widths hr). Qed.
(* an entry of A_P is zero or an equality of the tight system *)
Lemma active_tight e : List.In e active_entries -> entry_vector R n e = 0 \/ (List.In e tight_entries /\ entry_equality e).
Proof.
by case/active_in=> r hr [-> heq]; have [->|[ht _]] := active_row_entry R point_x domain_K hr; [left | right].
Qed.
(* The rows of A_P vanish in the tight cone. *)
Lemma active_vanish u : tight_cone L u -> forall e, List.In e active_entries -> entry_at_vector e u = 0.
Proof.
move=> hu e /active_tight[h|[he heq]]; first by rewrite /entry_at_vector h mul0mx mxE.
by have [_ /(_ u hu)] := entry_tight_condition R widths point_x domain_K he; rewrite heq.
Qed.
Lemma tight_equality_active e : List.In e tight_entries -> entry_equality e -> List.In e active_entries.
Proof.
move=> he heq; have [r hr ->] := equality_entry_active point_x domain_K heq (or_introl he).
exact: (map_In General hr).
Qed.
Lemma recession_equality_active e : List.In e recession_entries -> entry_equality e -> List.In e active_entries.
Proof.
move=> he heq; have [r hr ->] := equality_entry_active point_x domain_K heq (or_intror he).
exact: (map_In General hr).
Qed.
Lemma columns_tight : columns (tight_system l K x z) = n. Proof. by rewrite /tight_system; case: (K). Qed.
Lemma columns_recession : columns (recession_system l K z) = n. Proof. by rewrite /recession_system; case: (K). Qed.

Lemma trivial_system s e : columns s = n -> check_trivial propose s e ->
  forall d : 'cV[R]_n, system_holds s (coordinates d) -> d = 0.
Proof.
move=> hc ht d hd; apply/colP => j; rewrite mxE -(nth_coordinates d j).
by apply: (check_trivial_sound ht) hd _; rewrite size_coordinates.
Qed.

(* full column rank leaves only 0 *)
Lemma full_rank_kernel k (M : 'M[R]_(k, n)) (u : 'cV[R]_n) : \rank M = n -> M *m u = 0 -> u = 0.
Proof.
move=> hr hu; have /row_fullP[B hB] : row_full M by rewrite /row_full hr.
by rewrite -[u]mul1mx -hB -mulmxA hu mulmx0.
Qed.

Theorem check_singleton_sound b r rest : check_rank propose n active_entries r = Some b ->
  check_singleton propose l K x z (rank_value r) rest -> forall v, X v <-> v = x0.
Proof.
move=> hb; case: rest => [|e [|? ?]] //= => [/Nat.eqb_eq hn|/andP[_ ht]]; apply: preimage_one_point;
  apply/(singleton_iff_tight_cone_trivial slack_L) => d hd.
  have [hr _] := check_rank_sound R active_ok hb.
  apply: (full_rank_kernel (M := entries_matrix R n active_entries)); first by rewrite hr.
  by apply/entries_matrix_zero; apply: active_vanish.
exact: (trivial_system columns_tight ht (tight_cone_system widths point_x domain_K hd)).
Qed.

(* ---------- the dimension ---------- *)

(* es: entries that vanish on the polyhedron; every other entry of the tight system is strict at some d *)
Lemma dimension_of_entries es (d : 'cV[R]_n) : (forall e, List.In e es -> entry_ok n e) ->
  (forall u, polyhedron L u -> forall e, List.In e es -> entry_at_vector e u = 0) ->
  (forall e, List.In e es -> entry_at_vector e d = 0) ->
  (forall e, List.In e tight_entries -> (entry_vector R n e <= entries_matrix R n es)%MS \/
     (entry_equality e = false /\ entry_at_vector e d < 0)) ->
  affine_dimension X (n - \rank (entries_matrix R n es)).
Proof.
move=> ok h0 hd ht.
have [b0 [D [hb hD hp hs]]] : affine_dimension (polyhedron L) (n - \rank (entries_matrix R n es)).
  apply: (dimension_by_implicit_equalities slack_L (d := d)) => [u hu||c hc tc].
  - by apply/entries_matrix_zero; apply: h0.
  - by apply/entries_matrix_zero.
  have [-> |[e he [-> ->]]] := tight_condition_entry widths point_x domain_K hc tc.
    by left=> u _; rewrite /ev mul0mx mxE.
  have [/submxP[B ->]|[-> hlt]] := ht e he; last by right.
  by left=> u hu; rewrite /ev -mulmxA hu mulmx0 mxE.
exists (x0 + b0), D; split=> //; first by apply/shifted.
  by move=> i; rewrite -addrA; apply/shifted.
move=> v /shifted_back/hs; by rewrite opprD addrA.
Qed.

Lemma rank_difference (d k m : nat) : Nat.eqb (d + k) m -> d = (m - k)%N.
Proof. by move=> /Nat.eqb_eq <-; rewrite addnK. Qed.

Lemma all_marks_equal (m m' : seq bool) : size m = size m' -> List.forallb (fun b => b) (tmap2 Bool.eqb m m') -> m = m'.
Proof.
rewrite tmap2E forallbE => + h; elim: m m' h => [|b m IH] [|b' m'] //= /andP[/Bool.eqb_prop -> h] [hs].
by rewrite (IH _ h hs).
Qed.

Theorem check_dimension_sound b r dimension rest rest' : check_rank propose n active_entries r = Some b ->
  check_dimension propose l K x z b dimension rest = Some rest' -> affine_dimension X dimension.
Proof.
move=> hb; have [hr hsize] := check_rank_sound R active_ok hb.
rewrite /check_dimension -/n; set s := tight_system l K x z.
have Emarks : tapp (tmap is_equality (general s)) (tmap (fun=> false) (sides s)) = [seq entry_equality e | e <- entries_of s].
  by rewrite /entries_of !tappE !tmapE map_cat -map_comp; congr (_ ++ _); by apply/eq_map_In => e /sides_no_equality ->.
rewrite {}Emarks; set eqs := [seq entry_equality e | e <- entries_of s].
case: ifP => [hall|_].
  (* equalities only *)
  case: ifP => // /rank_difference -> _; rewrite hsize -hr.
  apply: (@dimension_of_entries active_entries 0).
  - exact: active_ok.
  - by move=> u /polyhedron_tight_cone; apply: active_vanish.
  - by move=> e _; rewrite /entry_at_vector mulmx0 mxE.
  move=> e he; left; apply: entry_in_span; apply: tight_equality_active => //.
  by move: hall; rewrite forallbE all_map => /all_In/(_ e he).
case: rest => [|[] // given rest] //; case hf: fit => [implicit|] //; case: ifP => // hdisjoint.
set zeros := tmap2 orb eqs implicit; set strict := pick (tmap negb zeros) _.
rewrite tmapE; set zero_entries := pick zeros _; set equalities := [seq upward e | e <- zero_entries].
have simpl : size implicit = size (entries_of s) by rewrite (fit_size hf) size_ofE.
have sz : size zeros = size (entries_of s) by rewrite /zeros tmap2E size_map size_zip size_map simpl minnn.
have split_entries e : List.In e (entries_of s) -> List.In e zero_entries \/ List.In e strict.
  by rewrite /zero_entries /strict !pickE tmapE; apply: In_mask_or.
have strict_not_equality e : List.In e strict -> List.In e (entries_of s) /\ entry_equality e = false.
  rewrite /strict pickE tmapE /zeros tmap2E -map_comp => he.
  have [i [h1 _ [-> h2]]] := In_mask_nth (Side 0 Z0) he; split; first by apply/(In_nth (Side 0 Z0)); exists i.
  move: h2; rewrite (nth_map (false, false)) ?nth_zip ?size_zip ?size_map ?simpl ?minnn //=.
  by rewrite (nth_map (Side 0 Z0)) // negb_or => /andP[/negbTE].
have ok_all e : List.In e (entries_of s) -> entry_ok n e by case/(entry_tight_condition R widths point_x domain_K).
have ok_zero e : List.In e zero_entries -> entry_ok n e by rewrite /zero_entries pickE => h; apply: ok_all; apply: In_mask h.
have ok_equalities e : List.In e equalities -> entry_ok n e by move=> h; have [e0 /ok_zero h0 ->] := In_map h; apply: upward_ok.
have ok_strict e : List.In e strict -> entry_ok n e by move=> h; apply: ok_all; case: (strict_not_equality _ h).
(* the evidence after the implicit equalities: es has the rank of the block and spans the equalities *)
have after es r' (b' : block) rest1 : (forall e, List.In e es -> entry_ok n e) ->
    check_rank propose n es r' = Some b' ->
    (forall u, polyhedron L u -> forall e, List.In e es -> entry_at_vector e u = 0) ->
    (forall e, List.In e equalities -> (entry_vector R n e <= entries_matrix R n es)%MS) ->
    (forall d : 'cV[R]_n, (forall e, List.In e equalities -> entry_at_vector e d = 0) -> forall e, List.In e es -> entry_at_vector e d = 0) ->
    match strict with
    | [::] => if Nat.eqb (dimension + block_size b') n then Some rest1 else None
    | _ => match rest1 with
           | e :: rest2 => if check_ray propose n equalities strict b' e
                           then if Nat.eqb (dimension + block_size b') n then Some rest2 else None else None
           | [::] => None
           end
    end = Some rest' -> affine_dimension X dimension.
  move=> ok_es hb' hvanish hspan hback hmatch; have [hr' hsize'] := check_rank_sound R ok_es hb'.
  suff [d [hd1 hd2] /rank_difference ->] : exists2 d : 'cV[R]_n,
      (forall e, List.In e equalities -> entry_at_vector e d = 0) /\ (forall e, List.In e strict -> entry_at_vector e d < 0)
      & Nat.eqb (dimension + block_size b') n.
    rewrite hsize' -hr'; apply: (@dimension_of_entries es d ok_es hvanish (hback d hd1)).
    move=> e /split_entries[he|he]; first by left; apply: (upward_span (ok_zero _ he)); apply: hspan (map_In upward he).
    by right; split; [case: (strict_not_equality _ he) | apply: hd2].
  move: hmatch (ok_strict); case E: strict => [|e0 strict'] hmatch oks.
    exists 0; last by move: hmatch; case: ifP.
    by split=> // e _; rewrite /entry_at_vector mulmx0 mxE.
  case: rest1 hmatch => // e1 rest2; case: ifP => // hray; case: ifP => // hdim _.
  have [d [_ h1 h2]] := check_ray_sound ok_es hb' ok_equalities oks hspan hray.
  by exists d.
case: ifP => [hnone|_].
  (* no implicit equalities: the equalities are rows of A_P *)
  have equalities_active e : List.In e equalities -> List.In e active_entries.
    move=> he'; have [e0 he ->] := In_map he'; move: he; rewrite /zero_entries pickE /zeros tmap2E => he.
    have [i [h1 _ [e0E h2]]] := In_mask_nth (Side 0 Z0) he.
    have heq : entry_equality e0; last first.
      have -> : upward e0 = e0 by case: (e0) heq.
      by apply: tight_equality_active => //; apply/(In_nth (Side 0 Z0)); exists i.
    move: h2; rewrite (nth_map (false, false)) ?nth_zip ?size_zip ?size_map ?simpl ?minnn //=.
    rewrite (nth_map (Side 0 Z0)) // -e0E => /orP[//|h]; move: hnone; rewrite forallbE => /(all_nthP false)/(_ i).
    by rewrite simpl h1 h => /(_ isT).
  apply: (after active_entries r b rest) => //.
  - exact: active_ok.
  - by move=> u /polyhedron_tight_cone; apply: active_vanish.
  - by move=> e /equalities_active; apply: entry_in_span.
  move=> d hd e /active_tight[h|[he1 he2]]; first by rewrite /entry_at_vector h mul0mx mxE.
  have <- : upward e = e by case: (e) he2.
  apply: hd; apply: map_In; rewrite /zero_entries pickE /zeros tmap2E.
  have [i hi ei] := proj1 (In_nth (Side 0 Z0) _ _) he1.
  apply: (nth_In_mask (d := Side 0 Z0) hi _ ei).
  by rewrite (nth_map (false, false)) ?nth_zip ?size_zip ?size_map ?simpl ?minnn //= (nth_map (Side 0 Z0)) // ei he2.
case: rest => [|[] // ws r' rest] //; case hex: exact_multipliers => [implied|] //; case: ifP => // hdue.
case hb': check_rank => [b'|] // hmatch.
apply: (after equalities r' b' rest) => //; last 1 first.
- by move=> e; apply: entry_in_span.
move=> u hu e' he'; have [e he0 ->] := In_map he'; apply/(upward_zero u (ok_zero _ he0)); move: he0; rewrite /zero_entries pickE => he.
have hu' := polyhedron_tight_cone hu; have hs := tight_cone_system widths point_x domain_K hu'.
have [i [hi _ [ei hz]]] := In_mask_nth (Side 0 Z0) he.
have hin : List.In e (entries_of s) by apply/(In_nth (Side 0 Z0)); exists i.
have [_ /(_ u hu')] := entry_tight_condition R widths point_x domain_K hin.
have oke := ok_all _ hin.
case: (boolP (entry_equality e)) => [//|ne _].
rewrite (entry_at_coordinates _ oke).
have hmark : nth false implicit i.
  move: hz; rewrite /zeros tmap2E (nth_map (false, false)) ?nth_zip ?size_zip ?size_map ?simpl ?minnn //=.
  by rewrite (nth_map (Side 0 Z0)) // -ei (negbTE ne).
have [hsw [hlo hup] him _] := exact_multipliers_shape hex.
have cs : columns s = n := columns_tight.
have sx : size (coordinates u) = columns s by rewrite size_coordinates cs.
have [z1 z2] := exact_multipliers_sound hex sx hs.
move: hdue; set due := tapp _ _ => hdue.
have sdue : size due = size implicit.
  rewrite simpl /due /entries_of !tappE !size_cat tmap2E !size_map size_zip hsw minnn; congr (_ + _)%N; first by rewrite tmapE size_map.
  rewrite sidesE side_marksE; apply: size_mark_list; rewrite ?tmap2E ?size_map ?size_zip ?size_map;
    by rewrite ?hlo ?hup /fixed_columns ?tmap2E ?size_map ?size_zip ?hlo ?hup /positive ?tmapE ?size_map ?him ?minnn.
have edue : due = implicit := all_marks_equal sdue hdue.
have : List.In e (mask due (entries_of s)) by apply: (nth_In_mask (d := Side 0 Z0) hi) => //; rewrite edue.
rewrite /due /entries_of !tappE mask_cat; last by rewrite tmap2E !size_map size_zip hsw minnn tmapE size_map.
move=> /In_cat[|].
  rewrite tmapE => h; have [k [hk hkm [ek hm]]] := In_mask_nth (Side 0 Z0) h.
  rewrite size_map in hk.
  pose r0 := GeneralRow false xH Z0 [::].
  rewrite ek (nth_map r0) //=.
  have := z1 k hk; rewrite (nth_map r0) //; apply.
  move: hm; rewrite tmap2E (nth_map (r0, Z0)) ?size_zip ?hsw ?minnn // nth_zip ?hsw //= => /andP[_].
  by case: Z.eqb_spec.
rewrite sidesE side_marksE => h; have [k [hk [[-> _ hm]|[-> _ hm]]]] := In_marked h; rewrite add0n /=.
all: have -> : nth 0 (coordinates u) k = 0; last by rewrite mulr0.
all: have [hk1 hk2] : (k < n)%N /\ (k < size implied)%N by rewrite him cs -cs -hlo.
all: move: hm; rewrite tmap2E (nth_map (false, false)) ?nth_zip ?size_zip;
  rewrite /fixed_columns /positive ?tmap2E ?tmapE ?size_map ?size_zip ?hlo ?hup ?him ?minnn ?cs //=.
all: move=> /orP[hf'|]; first by apply: (fixed_zero hs); rewrite /fixed_columns tmap2E.
all: by rewrite (nth_map (Z0, Z0)) // => /Z.ltb_lt; apply: z2.
Qed.

(* ---------- bounded or not ---------- *)

Lemma bounded_shift : bounded X <-> exists M, forall u, polyhedron L u -> forall i, `|u i 0| <= M.
Proof.
pose C := \sum_i `|x0 i 0|.
have hC i : `|x0 i 0| <= C by rewrite /C (bigD1 i) //= ler_addl sumr_ge0.
split=> -[M hM]; exists (M + C) => u hu i.
  have := hM _ (proj2 (shifted u) hu) i; rewrite mxE => h.
  rewrite -[u i 0](addKr (x0 i 0)) [M + C]addrC; apply: le_trans (ler_norm_add _ _) _.
  by apply: ler_add; rewrite ?normrN.
have := hM _ (proj1 (shifted_back u) hu) i; rewrite mxE [(- x0) _ _]mxE => h.
by rewrite -[u i 0](subrK (x0 i 0)); apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
Qed.

Lemma recession_direction (d : 'cV[R]_n) : d != 0 ->
  (forall e, List.In e recession_entries -> if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0) ->
  ~ bounded X.
Proof.
move=> d0 hd /bounded_shift/(bounded_iff_recession_cone_trivial slack_L)/(_ d) h.
by move/eqP: d0; apply; apply: h; apply: system_recession_cone.
Qed.

Theorem check_boundedness_sound b r size rest : check_rank propose n active_entries r = Some b ->
  check_boundedness propose l K z b size rest ->
  match size with Bounded => bounded X | Unbounded => ~ bounded X | _ => True end.
Proof.
move=> hb; rewrite /check_boundedness; set s := recession_system l K z.
have Emarks : tapp (tmap is_equality (general s)) (tmap (fun=> false) (sides s)) = [seq entry_equality e | e <- entries_of s].
  rewrite /entries_of !tappE !tmapE map_cat -map_comp; congr (_ ++ _).
  by apply/eq_map_In => e /sides_no_equality ->.
rewrite {}Emarks columns_recession; set eqs := [seq _ | e <- _].
have ok e : List.In e (entries_of s) -> entry_ok n e := recession_entry_ok R widths domain_K (e := e).
have split_e e : List.In e (entries_of s) ->
    (List.In e (pick eqs (entries_of s)) /\ entry_equality e) \/ (List.In e (pick (tmap negb eqs) (entries_of s)) /\ entry_equality e = false).
  rewrite !pickE tmapE /eqs -map_comp; elim: (entries_of s) => //= a es IH [->|/IH[[h1 h2]|[h1 h2]]].
  - by case ea: (entry_equality e) => /=; [left | right]; split=> //; left.
  - by left; split=> //; case: (entry_equality a) => //=; right.
  - by right; split=> //; case: (entry_equality a) => //=; right.
have picked m e : List.In e (pick m (entries_of s)) -> List.In e (entries_of s) by rewrite pickE => h; apply: In_mask h.
have equality_picked e : List.In e (pick eqs (entries_of s)) -> entry_equality e.
  rewrite pickE /eqs; elim: (entries_of s) => //= a es IH; case ea: (entry_equality a) => /= h; last exact: IH.
  by case: h => [<-|/IH].
case: size => //.
- case: rest => [|e [|? ?]] //; first by move=> hK; move: hK (@bounded_box R l); case: (K) => // lo hi _ h; apply: h.
  case/andP=> _ ht; apply/bounded_shift/recession_cone_trivial_bounded => d hd.
  exact: (trivial_system columns_recession ht (recession_cone_system widths domain_K hd)).
case: rest => [|e [|? ?]] //; last by case: e.
have ray : check_ray propose n (pick eqs (entries_of s)) (pick (tmap negb eqs) (entries_of s)) b e -> ~ bounded X.
  move=> hray; have [d [d0 h1 h2]] : exists d : 'cV[R]_n, [/\ d != 0,
      forall e, List.In e (pick eqs (entries_of s)) -> entry_at_vector e d = 0
    & forall e, List.In e (pick (tmap negb eqs) (entries_of s)) -> entry_at_vector e d < 0].
    apply: (check_ray_sound active_ok hb _ _ _ hray) => [e' he'|e' he'|e' he']; try exact: ok (picked _ _ he').
    by apply: entry_in_span; apply: recession_equality_active (picked _ _ he') (equality_picked _ he').
  apply: (recession_direction d0) => e' /split_e[[he' ->]|[he' ->]]; first exact: h1.
  exact: ltW (h2 _ he').
case: e ray => // d ray; try exact: ray.
case/andP=> /andP[/andP[/point_ok_is_point[_ sd] nz] h1] h2.
pose v : 'cV[R]_n := \col_j embed (nth Z0 (numerators d) j).
have cv : coordinates v = [seq embed a | a <- numerators d].
  apply: (@eq_from_nth _ 0) => [|j]; rewrite size_coordinates ?size_map ?sd // => hj.
  by rewrite (nth_coordinates v (Ordinal hj)) mxE (nth_map Z0) ?sd.
have Ev e : entry_ok n e -> entry_at_vector e v = embed (entry_dot (numerators d) e).
  move=> oke; rewrite (entry_at_coordinates _ oke) cv; case: e oke => [r0 _|j sign _] /=; first by rewrite -embed_dot.
  by rewrite embedM entry_atE nth_embed.
apply: (@recession_direction v).
  apply: contra nz => /eqP v0; rewrite is_zeroE; apply/(all_nthP Z0) => j; rewrite sd => hj.
  have := congr1 (fun w : 'cV[R]_n => w (Ordinal hj) 0) v0; rewrite !mxE => /eqP; rewrite embed_eq0 => /Z.eqb_eq ->.
  exact: Z.eqb_refl.
move=> e /[dup]/ok oke /split_e[[he ->]|[he ->]]; rewrite Ev //.
  by move: h1; rewrite forallbE => /all_In/(_ e he)/Z.eqb_eq ->.
by rewrite embed_le0; move: h2; rewrite forallbE => /all_In/(_ e he).
Qed.

End AtBasePoint.
