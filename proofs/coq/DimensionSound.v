(* From the evidence to the pre-image around a base point x: it is the point x alone (P2, P4), its dimension (C6), it is bounded
   or not (P2).  The theorems of Polyhedron.v say what has to be shown of the tight and of the recession cone; the evidence shows
   it of their systems. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import Farkas Polyhedron EntryVectors RankSound RaySound MultipliersSound TrivialSound.
From ExactRelu Require Import EvaluationSound LayerPolyhedron SystemsSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- entries, and the same entries turned upward ---------- *)

Section Entries.
Variables (R : realFieldType) (n : nat).
Implicit Types (es : seq entry) (e : entry) (u : 'cV[R]_n).

(* Turning a side upward multiplies it by a number that is not 0. *)
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

(* ---------- the marks of the entries of a system ---------- *)

(* a side is not an equality *)
Lemma sides_no_equality s e : List.In e (sides s) -> entry_equality e = false.
Proof.
rewrite sidesE; elim: (lower_sides s) (upper_sides s) 0%N => [|a lo IH] [|b up] j //= h.
have [|h'] := proj1 (In_cat _ _ _) h; first by case: a {h} => //= -[<-|].
by have [|/IH] := proj1 (In_cat _ _ _) h'; first by case: b {h h'} => //= -[<-|].
Qed.

(* the marks of the equalities among the entries *)
Lemma equality_marksE s :
  tapp (tmap is_equality (general s)) (tmap (fun=> false) (sides s)) = [seq entry_equality e | e <- entries_of s].
Proof.
rewrite /entries_of !tappE !tmapE map_cat -map_comp; congr (_ ++ _).
by apply/eq_map_In => e /sides_no_equality ->.
Qed.

(* ---------- at a base point ---------- *)

Section AtBasePoint.
Variables (R : realFieldType) (propose : oracle) (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let x0 := vector_of n (rational R x).
Let y := layer_at l (rational R x).
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (point_x : is_point n x) (domain_K : is_domain n K) (contains_x : contains K x).
Notation L := (conditions R l K x z).
Notation X := (preimage (l := l) K y).

Lemma slack_L c : List.In c L -> ~~ equality c -> 0 <= slack c.
Proof. exact: (slack_ge0 (R := R) (l := l) point_x domain_K contains_x). Qed.
(* P1: the pre-image is the polyhedron L, moved to the base point. *)
Lemma shifted u : X (x0 + u) <-> polyhedron L u.
Proof. exact: preimage_polyhedron. Qed.
Lemma shifted_back v : X v <-> polyhedron L (v - x0).
Proof. by rewrite -shifted addrCA subrr addr0. Qed.

Lemma base_point_in_preimage : X x0.
Proof. by rewrite -[x0]addr0 shifted; apply: (polyhedron0 slack_L). Qed.

(* If only 0 is in the polyhedron, the pre-image is the base point; a point has dimension 0. *)
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

(* ---------- the rows A_P among the entries of the systems ---------- *)

Lemma active_in e : List.In e active_entries -> exists2 r, List.In r (active_rows l z) & e = General r /\ entry_equality e.
Proof. by case/In_map_iff=> r hr ->; exists r => //; case/In_active_rows: hr => a _ [_ ->]. Qed.
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

(* A system with accepted evidence has the solution 0 alone. *)
Lemma trivial_system s e : columns s = n -> check_trivial propose s e ->
  forall d : 'cV[R]_n, system_holds s (coordinates d) -> d = 0.
Proof.
move=> hc ht d hd; apply/colP => j; rewrite mxE -(nth_coordinates d j).
by apply: (check_trivial_sound ht) hd _; rewrite size_coordinates.
Qed.

(* ---------- one point ---------- *)

(* P2, P4: evidence for one point is right: the pre-image is the base point alone, because only 0 is in the tight cone. *)
Theorem check_singleton_sound b r rest : check_rank propose n active_entries r = Some b ->
  check_singleton propose l K x z (rank_value r) rest -> forall v, X v <-> v = x0.
Proof.
move=> hb; case: rest => [|e [|? ?]] //= => [/Nat.eqb_eq hn|/andP[_ ht]]; apply: preimage_one_point;
  apply/(singleton_iff_tight_cone_trivial slack_L) => d hd.
  have [hr _] := check_rank_sound R active_ok hb.
  by apply: (full_rank_zero (es := active_entries)); [rewrite hr | apply: active_vanish].
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

(* C6: the dimension that the evidence shows is that of the pre-image.  The entries that vanish on all of it are the equalities and
   the implicit ones (proved by multipliers); every other entry is strict in some direction. *)
Theorem check_dimension_sound b r dimension rest rest' : check_rank propose n active_entries r = Some b ->
  check_dimension propose l K x z b dimension rest = Some rest' -> affine_dimension X dimension.
Proof.
move=> hb; have [hr hsize] := check_rank_sound R active_ok hb.
rewrite /check_dimension -/n; set s := tight_system l K x z.
rewrite equality_marksE; set eqs := [seq entry_equality e | e <- entries_of s].
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
have size_implicit : size implicit = size (entries_of s) by rewrite (fit_size hf) size_ofE.
have size_zeros : size zeros = size (entries_of s) by rewrite /zeros tmap2E size_map size_zip size_map size_implicit minnn.
have nth_zeros i : (i < size (entries_of s))%N ->
    nth false zeros i = entry_equality (nth (Side 0 Z0) (entries_of s) i) || nth false implicit i.
  by move=> hi; rewrite (nth_tmap2 false false _ (size_map _ _) size_implicit) hi (nth_map (Side 0 Z0)).
have split_entries e : List.In e (entries_of s) -> List.In e zero_entries \/ List.In e strict.
  by rewrite /zero_entries /strict !pickE tmapE; apply: In_mask_or.
have strict_not_equality e : List.In e strict -> List.In e (entries_of s) /\ entry_equality e = false.
  rewrite /strict pickE tmapE => he.
  have [i [h1 _ [-> h2]]] := In_mask_nth (Side 0 Z0) he; split; first exact: nth_In.
  by move: h2; rewrite (nth_map false) ?size_zeros // nth_zeros // negb_or => /andP[/negbTE].
have ok_all e : List.In e (entries_of s) -> entry_ok n e by case/(entry_tight_condition R widths point_x domain_K).
have ok_zero e : List.In e zero_entries -> entry_ok n e by rewrite /zero_entries pickE => h; apply: ok_all; apply: In_mask h.
have ok_equalities e : List.In e equalities -> entry_ok n e by move=> h; have [e0 /ok_zero h0 ->] := In_map h; apply: upward_ok.
have ok_strict e : List.In e strict -> entry_ok n e by move=> h; apply: ok_all; case: (strict_not_equality _ h).
(* the evidence after the implicit equalities: es has the rank of the block and spans the equalities *)
have after es r' (b' : block) rest1 : (forall e, List.In e es -> entry_ok n e) ->
    check_rank propose n es r' = Some b' ->
    (forall u, polyhedron L u -> forall e, List.In e es -> entry_at_vector e u = 0) ->
    (forall e, List.In e equalities -> (entry_vector R n e <= entries_matrix R n es)%MS) ->
    (forall d : 'cV[R]_n, (forall e, List.In e equalities -> entry_at_vector e d = 0) ->
       forall e, List.In e es -> entry_at_vector e d = 0) ->
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
    move=> he'; have [e0 he ->] := In_map he'; move: he; rewrite /zero_entries pickE => he.
    have [i [h1 _ [e0E h2]]] := In_mask_nth (Side 0 Z0) he.
    have heq : entry_equality e0; last first.
      have -> : upward e0 = e0 by case: (e0) heq.
      by apply: tight_equality_active => //; rewrite e0E; apply: nth_In.
    move: h2; rewrite nth_zeros // -e0E => /orP[//|h]; move: hnone; rewrite forallbE => /(all_nthP false)/(_ i).
    by rewrite size_implicit h1 h => /(_ isT).
  apply: (after active_entries r b rest) => //.
  - exact: active_ok.
  - by move=> u /polyhedron_tight_cone; apply: active_vanish.
  - by move=> e /equalities_active; apply: entry_in_span.
  move=> d hd e /active_tight[h|[he1 he2]]; first by rewrite /entry_at_vector h mul0mx mxE.
  have <- : upward e = e by case: (e) he2.
  apply: hd; apply: map_In; rewrite /zero_entries pickE.
  have [i hi ei] := proj1 (In_nth (Side 0 Z0) _ _) he1.
  by apply: (nth_In_mask (d := Side 0 Z0) hi _ ei); rewrite nth_zeros // ei he2.
case: rest => [|[] // ws r' rest] //; case hex: exact_multipliers => [implied|] //; case: ifP => // hdue.
case hb': check_rank => [b'|] // hmatch.
apply: (after equalities r' b' rest) => //; last 1 first.
- by move=> e; apply: entry_in_span.
move=> u hu e' he'; have [e he0 ->] := In_map he'; apply/(upward_zero u (ok_zero _ he0)); move: he0; rewrite /zero_entries pickE => he.
have hu' := polyhedron_tight_cone hu; have hs := tight_cone_system widths point_x domain_K hu'.
have [i [hi _ [ei hz]]] := In_mask_nth (Side 0 Z0) he.
have hin : List.In e (entries_of s) by exact: In_mask he.
have [_ /(_ u hu')] := entry_tight_condition R widths point_x domain_K hin.
case: (boolP (entry_equality e)) => [//|ne _].
rewrite entry_at_vectorE.
have hmark : nth false implicit i by move: hz; rewrite nth_zeros // -ei (negbTE ne).
move: hdue; set due := tapp _ _ => hdue.
have size_due : size due = size implicit by rewrite size_implicit; apply: size_entry_marks hex.
have edue : due = implicit := all_marks_equal size_due hdue.
have : List.In e (mask due (entries_of s)) by apply: (nth_In_mask (d := Side 0 Z0) hi) => //; rewrite edue.
have cs : columns s = n := columns_tight.
case/(marked_entry_zero R hex) => [r0 w /andP[_ /Z.eqb_spec]|f p //|f p //|_]; first by right.
by apply=> //; rewrite size_coordinates cs.
Qed.

(* ---------- bounded or not ---------- *)

(* The pre-image is bounded iff the polyhedron is. *)
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

(* A direction of recession that is not 0 makes the pre-image unbounded. *)
Lemma recession_direction (d : 'cV[R]_n) : d != 0 ->
  (forall e, List.In e recession_entries -> if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0) ->
  ~ bounded X.
Proof.
move=> d0 hd /bounded_shift/(bounded_iff_recession_cone_trivial slack_L)/(_ d) h.
by move/eqP: d0; apply; apply: h; apply: system_recession_cone.
Qed.

(* P2: evidence for bounded (a box, or a recession cone that is {0}) and for unbounded (a direction of recession) is right. *)
Theorem check_boundedness_sound b r size rest : check_rank propose n active_entries r = Some b ->
  check_boundedness propose l K z b size rest ->
  match size with Bounded => bounded X | Unbounded => ~ bounded X | _ => True end.
Proof.
move=> hb; rewrite /check_boundedness; set s := recession_system l K z.
rewrite equality_marksE columns_recession; set eqs := [seq _ | e <- _].
have ok e : List.In e (entries_of s) -> entry_ok n e := recession_entry_ok R widths domain_K (e := e).
have split_e e : List.In e (entries_of s) ->
    (List.In e (pick eqs (entries_of s)) /\ entry_equality e) \/
    (List.In e (pick (tmap negb eqs) (entries_of s)) /\ entry_equality e = false).
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
have Ev e : entry_at_vector e (integer_vector R n (numerators d)) = embed (entry_dot (numerators d) e) by rewrite -entry_dotE.
apply: (@recession_direction (integer_vector R n (numerators d))).
  apply: contra nz => /eqP v0; rewrite is_zeroE; apply/(all_nthP Z0) => j; rewrite sd => hj.
  have := congr1 (fun w : 'cV[R]_n => w (Ordinal hj) 0) v0; rewrite !mxE nth_embed => /eqP; rewrite embed_eq0 => /Z.eqb_eq ->.
  exact: Z.eqb_refl.
move=> e /split_e[[he ->]|[he ->]]; rewrite Ev //.
  by move: h1; rewrite forallbE => /all_In/(_ e he)/Z.eqb_eq ->.
by rewrite embed_le0; move: h2; rewrite forallbE => /all_In/(_ e he).
Qed.

End AtBasePoint.
