(* The tight and the recession system of Systems.v describe the tight conditions, and all conditions, of the polyhedron of
   LayerPolyhedron.v (P2, P4): what holds in a cone holds for the entries of its system, and conversely.  The equalities of both
   are the rows A_P, whose rank is the one that is claimed. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Farkas Polyhedron Claims Systems Checker.
From ExactRelu Require Import EntryVectors MultipliersSound EvaluationSound LayerPolyhedron.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- the entries of a system ---------- *)

(* e is an equality: e . x = 0; otherwise it stands for e . x <= 0 *)
Definition entry_equality (e : entry) : bool := match e with General r => is_equality r | Side _ _ => false end.

Lemma In_nonzero_rows rs r : List.In r (nonzero_rows rs) <-> List.In r rs /\ ~~ is_zero (normal r).
Proof. by rewrite /nonzero_rows pickE tmapE -filter_mask; apply: In_filter. Qed.

Lemma In_entries s e : size (lower_sides s) = size (upper_sides s) -> List.In e (entries_of s) <->
  [\/ exists2 r, List.In r (general s) & e = General r,
      exists2 j, nth false (lower_sides s) j & e = Side j (Zneg xH) | exists2 j, nth false (upper_sides s) j & e = Side j (Zpos xH)].
Proof.
move=> hs; rewrite /entries_of tappE tmapE In_cat In_map_iff In_sides //; split.
  by case=> [h|[j [[h1 h2]|[h1 h2]]]]; [constructor 1 | constructor 2; exists j | constructor 3; exists j].
by case=> [h|[j h1 h2]|[j h1 h2]]; [left | right; exists j; left | right; exists j; right].
Qed.

(* ---------- conditions and systems ---------- *)

Section Represents.
Variables (R : realFieldType) (n : nat).
Implicit Types (L : condition R n -> Prop) (c : condition R n) (e : entry) (u d : 'cV[R]_n).

(* the condition c, as a homogeneous one, and the entry e say the same *)
Definition describes c e : Prop := Polyhedron.normal c = entry_vector R n e /\ equality c = entry_equality e.
Definition entry_holds e d : Prop := if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0.
(* the entries es describe the conditions L, without those with normal 0 *)
Definition represents L (es : seq entry) : Prop :=
  (forall c, L c -> Polyhedron.normal c = 0 \/ exists2 e, List.In e es & describes c e) /\
  (forall e, List.In e es -> entry_ok n e /\ exists2 c, L c & describes c e).

Lemma describes_holds c e d : describes c e ->
  (if equality c then ev (Polyhedron.normal c) d = 0 else ev (Polyhedron.normal c) d <= 0) <-> entry_holds e d.
Proof. by move=> [-> ->]. Qed.

Lemma represents_entries L es d : represents L es ->
  (forall c, L c -> if equality c then ev (Polyhedron.normal c) d = 0 else ev (Polyhedron.normal c) d <= 0) <->
  (forall e, List.In e es -> entry_holds e d).
Proof.
move=> [h1 h2]; split=> h; first by move=> e /h2[_ [c /h hc hce]]; apply/(describes_holds _ hce).
by move=> c /h1[->|[e /h he hce]]; [rewrite ev0; case: ifP | apply/(describes_holds _ hce)].
Qed.

(* A column satisfies a system of n columns iff it satisfies its entries. *)
Lemma entries_system s d : size (lower_sides s) = size (upper_sides s) -> (forall e, List.In e (entries_of s) -> entry_ok n e) ->
  (forall e, List.In e (entries_of s) -> entry_holds e d) <-> system_holds s (coordinates d).
Proof.
move=> hs ok; have one e : List.In e (entries_of s) ->
    entry_holds e d <-> if entry_equality e then entry_of_list e (coordinates d) = 0 else entry_of_list e (coordinates d) <= 0.
  by rewrite /entry_holds entry_at_vectorE.
split=> [h|[h1 h2 h3] e he].
  have {}h e : List.In e (entries_of s) ->
      if entry_equality e then entry_of_list e (coordinates d) = 0 else entry_of_list e (coordinates d) <= 0.
    by move=> he; apply/one/h.
  split=> [r hr|j hj|j hj].
  - by apply: (h (General r)); apply/In_entries => //; constructor 1; exists r.
  - have /h /= : List.In (Side j (Zneg xH)) (entries_of s) by apply/In_entries => //; constructor 2; exists j.
    by rewrite mulN1r oppr_le0.
  - have /h /= : List.In (Side j (Zpos xH)) (entries_of s) by apply/In_entries => //; constructor 3; exists j.
    by rewrite mul1r.
apply/one => //; move/(In_entries _ hs): he => [[r hr ->]|[j hj ->]|[j hj ->]] /=; first exact: h1.
  by rewrite mulN1r oppr_le0; apply: h2.
by rewrite mul1r; apply: h3.
Qed.

Lemma normal_vector_zero a : is_zero a -> normal_vector R n a = 0.
Proof.
rewrite is_zeroE => /all_In h; apply/rowP => j; rewrite !mxE.
case: (ltnP j (size a)) => hj; last by rewrite nth_default.
by have /h/Z.eqb_spec <- : List.In (nth Z0 a j) a by apply/(In_nth Z0); exists j.
Qed.

(* A system without its zero rows represents what all of its rows and sides describe. *)
Lemma represents_system L rs lower upper :
  (forall r, List.In r rs -> size (normal r) = n) -> size lower = n -> size upper = n ->
  (forall c, L c -> [\/ exists2 r, List.In r rs & describes c (General r),
     exists2 j, nth false lower j & describes c (Side j (Zneg xH)) | exists2 j, nth false upper j & describes c (Side j (Zpos xH))]) ->
  (forall r, List.In r rs -> exists2 c, L c & describes c (General r)) ->
  (forall j, nth false lower j -> exists2 c, L c & describes c (Side j (Zneg xH))) ->
  (forall j, nth false upper j -> exists2 c, L c & describes c (Side j (Zpos xH))) ->
  represents L (entries_of (System n (nonzero_rows rs) lower upper)).
Proof.
move=> hr hl hu h1 h2 h3 h4; set s := System _ _ _ _.
have hs : size (lower_sides s) = size (upper_sides s) by rewrite hl hu.
split=> [c /h1[[r hrs hcr]|[j hj hc]|[j hj hc]]|e /(In_entries _ hs)[[r /In_nonzero_rows[hrs _] ->]|[j hj ->]|[j hj ->]]].
- case zr: (is_zero (normal r)); first by left; case: hcr => -> _; apply: normal_vector_zero.
  right; exists (General r) => //; apply/In_entries => //; constructor 1; exists r => //.
  by apply/In_nonzero_rows; rewrite zr.
- by right; exists (Side j (Zneg xH)) => //; apply/In_entries => //; constructor 2; exists j.
- by right; exists (Side j (Zpos xH)) => //; apply/In_entries => //; constructor 3; exists j.
- by split; [apply: hr | apply: h2].
- split; last exact: h3.
  by split; [rewrite -hl; apply: contraLR hj; rewrite -leqNgt => /(nth_default false) -> | right].
- split; last exact: h4.
  by split; [rewrite -hu; apply: contraLR hj; rewrite -leqNgt => /(nth_default false) -> | left].
Qed.
End Represents.

(* ---------- the tight and the recession system ---------- *)

Lemma all_columnsE b n : all_columns b n = nseq n b.
Proof. by rewrite /all_columns repeat_ontoE cats0. Qed.

(* the rows of the layer that are in the tight system, and in the recession system *)
Lemma tight_layer_rowsE l z : tight_layer_rows l z =
  [seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z & in_P rbv.1.2 rbv.2 || Z.eqb rbv.2 Z0].
Proof.
rewrite /tight_layer_rows /layer_data pickE !tmap2E.
elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite ?mask0 ?mask0s //.
by rewrite IH; case: ifP.
Qed.
Lemma all_layer_rowsE l z : tmap2 (fun r e => layer_general e r) (rows l) (tmap2 in_P (rectified l) (numerators z)) =
  [seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z].
Proof.
rewrite /layer_data !tmap2E.
by elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite IH.
Qed.
Lemma active_rowsE l z : active_rows l z = [seq layer_general true rbv.1.1 | rbv <- layer_data l z & in_P rbv.1.2 rbv.2].
Proof.
rewrite /active_rows /layer_data pickE !tmap2E tmapE.
elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite ?mask0 ?mask0s //.
by case: ifP => /= _; rewrite IH.
Qed.

(* the sides and rows of the domain in the tight system *)
Definition tight_lower (n : nat) (K : domain) (x : point) : seq bool :=
  match K with
  | Orthant => tmap (Z.eqb Z0) (numerators x)
  | Box lo _ => tmap2 (fun b v => Z.eqb (Z.mul b (denominator x)) (Z.mul v (denominator lo))) (numerators lo) (numerators x)
  | _ => all_columns false n
  end.
Definition tight_upper (n : nat) (K : domain) (x : point) : seq bool :=
  match K with
  | Box _ hi => tmap2 (fun b v => Z.eqb (Z.mul b (denominator x)) (Z.mul v (denominator hi))) (numerators hi) (numerators x)
  | _ => all_columns false n
  end.
Definition domain_sides (K : domain) : seq (Z * seq Z) := if K is Polytope sides then sides else [::].
Definition side_tight (x : point) (s : Z * seq Z) : bool :=
  Z.eqb (Z.add (Z.mul s.1 (denominator x)) (dot s.2 (numerators x))) Z0.

Lemma tight_systemE l K x z : tight_system l K x z = System (inputs l)
  (nonzero_rows (tight_layer_rows l z ++ [seq polytope_general s | s <- domain_sides K & side_tight x s]))
  (tight_lower (inputs l) K x) (tight_upper (inputs l) K x).
Proof.
rewrite /tight_system; case: K => [||lo hi|sides] /=; rewrite tappE //.
by rewrite !tmapE pickE -filter_mask.
Qed.
Definition is_box (K : domain) : bool := if K is Box _ _ then true else false.
Definition has_lower (K : domain) : bool := match K with Orthant | Box _ _ => true | _ => false end.
Lemma recession_systemE l K z : recession_system l K z = System (inputs l)
  (nonzero_rows ([seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z] ++
                 [seq polytope_general s | s <- domain_sides K]))
  (all_columns (has_lower K) (inputs l)) (all_columns (is_box K) (inputs l)).
Proof. by rewrite /recession_system all_layer_rowsE tappE; case: K => //= sides; rewrite tmapE. Qed.

Section SystemsAt.
Variable R : realFieldType.
Variables (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n) (point_x : is_point n x) (domain_K : is_domain n K).
Notation L := (conditions R l K x z).

Let size_x : size (numerators x) = n. Proof. by case: point_x. Qed.
Let x_gt0 : Z.lt 0 (denominator x). Proof. by case: point_x. Qed.

(* a condition is tight iff the numbers say so *)
Lemma layer_condition_tight r b : List.In r (rows l) ->
  tight (layer_condition R n x (r, b, row_numerator l x r)) = in_P b (row_numerator l x r) || Z.eqb (row_numerator l x r) Z0.
Proof. by move=> hr; rewrite /tight /= oppr_eq0 (row_numerator_eq0 R point_x hr). Qed.
Lemma side_condition_tight (s : Z * seq Z) :
  tight (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) = side_tight x s.
Proof. by rewrite /tight /= oppr_eq0 /side_tight (side_eq0 R point_x). Qed.
Lemma orthant_condition_tight j : tight (lower_condition n j (nth 0 (rational R x) j)) = Z.eqb Z0 (nth Z0 (numerators x) j).
Proof. by rewrite /tight /= nth_rational fraction_eq0 // Z.eqb_sym. Qed.
Lemma lower_condition_tight (lo : point) j : Z.lt 0 (denominator lo) ->
  tight (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) =
  Z.eqb (Z.mul (nth Z0 (numerators lo) j) (denominator x)) (Z.mul (nth Z0 (numerators x) j) (denominator lo)).
Proof. by move=> h; rewrite /tight /= subr_eq0 eq_sym !nth_rational fraction_eq. Qed.
Lemma upper_condition_tight (hi : point) j : Z.lt 0 (denominator hi) ->
  tight (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) =
  Z.eqb (Z.mul (nth Z0 (numerators hi) j) (denominator x)) (Z.mul (nth Z0 (numerators x) j) (denominator hi)).
Proof. by move=> h; rewrite /tight /= subr_eq0 !nth_rational fraction_eq. Qed.

Lemma size_tight_lower : size (tight_lower n K x) = n.
Proof.
rewrite /tight_lower; case: K domain_K => [||lo hi|sides] /=; rewrite ?all_columnsE ?size_nseq ?tmapE ?size_map //.
by move=> [[_ h] _]; rewrite (size_tmap2 _ h).
Qed.
Lemma size_tight_upper : size (tight_upper n K x) = n.
Proof.
rewrite /tight_upper; case: K domain_K => [||lo hi|sides] /=; rewrite ?all_columnsE ?size_nseq //.
by move=> [_ [_ h]]; rewrite (size_tmap2 _ h).
Qed.

Lemma side_sizes s : List.In s (domain_sides K) -> size s.2 = n.
Proof. by case: K domain_K => //= sides h /h. Qed.

Lemma In_conditions_layer r b v : List.In (r, b, v) (layer_data l z) -> List.In (layer_condition R n x (r, b, v)) L.
Proof. by move=> h; apply/In_cat; left; apply/In_map_iff; exists (r, b, v). Qed.
Lemma In_conditions_domain c : List.In c (domain_conditions R n K x) -> List.In c L.
Proof. by move=> h; apply/In_cat; right. Qed.

(* The tight system describes the tight conditions. *)
Lemma tight_represents : represents (fun c => List.In c L /\ tight c) (entries_of (tight_system l K x z)).
Proof.
rewrite tight_systemE tight_layer_rowsE; apply: represents_system.
- move=> r /In_cat[]/In_map_iff[a /In_filter[ha _] ->] /=; last exact: side_sizes.
  by apply: widths; case: a ha => [[r' b] v] /In_layer_data[].
- exact: size_tight_lower.
- exact: size_tight_upper.
- move=> c [/In_cat[/In_map_iff[[[r b] v] h ->]|]].
    have [hr _ e] := In_layer_data h; rewrite {1}e layer_condition_tight // -e => ht; constructor 1.
    exists (layer_general (in_P b v) r) => //; apply/In_cat; left; apply/In_map_iff.
    by exists (r, b, v) => //; apply/In_filter.
  case: K domain_K => [||lo hi|sides] hK //=.
  + move=> /In_map_iff[j /In_iota hj ->]; rewrite orthant_condition_tight => ht; constructor 2; exists j => //.
    by rewrite tmapE (nth_map Z0) ?size_x.
  + move=> /In_cat[]/In_map_iff[j /In_iota hj ->].
      rewrite lower_condition_tight; last by case: hK => -[].
      by move=> ht; constructor 2; exists j => //; rewrite (nth_tmap2 Z0 Z0 _ _ size_x) ?hj //; case: hK => -[].
    rewrite upper_condition_tight; last by case: hK => _ [].
    by move=> ht; constructor 3; exists j => //; rewrite (nth_tmap2 Z0 Z0 _ _ size_x) ?hj //; case: hK => _ [].
  + move=> /In_map_iff[s hs ->]; rewrite side_condition_tight => ht; constructor 1; exists (polytope_general s) => //.
    by apply/In_cat; right; apply/In_map_iff; exists s => //; apply/In_filter.
- move=> r /In_cat[]/In_map_iff[].
    move=> [[r' b] v] /In_filter[h ht] ->; exists (layer_condition R n x (r', b, v)) => //.
    by split; [apply: In_conditions_layer | have [hr _ e] := In_layer_data h; move: ht; rewrite e layer_condition_tight].
  move=> s /In_filter[hs ht] ->; exists (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) => //.
  split; last by rewrite side_condition_tight.
  by apply: In_conditions_domain; case: K hs => //= sides hs; apply/In_map_iff; exists s.
- move=> j; rewrite /tight_lower; case: K domain_K (@In_conditions_domain) => [||lo hi|sides] hK inL /=.
  + by rewrite all_columnsE nth_nseq if_same.
  + case: (ltnP j n) => hj; last by rewrite nth_default // tmapE size_map size_x.
    rewrite tmapE (nth_map Z0) ?size_x // => ht; exists (lower_condition n j (nth 0 (rational R x) j)) => //.
    by rewrite orthant_condition_tight; split=> //; apply/inL/In_map_iff; exists j => //; apply/In_iota.
  + have [[lo0 lon] _] := hK; rewrite (nth_tmap2 Z0 Z0 _ lon size_x) => /andP[hj ht].
    exists (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) => //; rewrite lower_condition_tight //.
    by split=> //; apply/inL/In_cat; left; apply/In_map_iff; exists j => //; apply/In_iota.
  + by rewrite all_columnsE nth_nseq if_same.
- move=> j; rewrite /tight_upper; case: K domain_K (@In_conditions_domain) => [||lo hi|sides] hK inL /=;
    try by rewrite all_columnsE nth_nseq if_same.
  have [_ [hi0 hin]] := hK; rewrite (nth_tmap2 Z0 Z0 _ hin size_x) => /andP[hj ht].
  exists (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) => //; rewrite upper_condition_tight //.
  by split=> //; apply/inL/In_cat; right; apply/In_map_iff; exists j => //; apply/In_iota.
Qed.

(* The recession system describes all conditions. *)
Lemma recession_represents : represents (fun c => List.In c L) (entries_of (recession_system l K z)).
Proof.
rewrite recession_systemE; apply: represents_system.
- move=> r /In_cat[]/In_map_iff[a ha ->] /=; last exact: side_sizes.
  by apply: widths; case: a ha => [[r' b] v] /In_layer_data[].
- by rewrite all_columnsE size_nseq.
- by rewrite all_columnsE size_nseq.
- move=> c /In_cat[/In_map_iff[[[r b] v] h ->]|].
    constructor 1; exists (layer_general (in_P b v) r) => //; apply/In_cat; left; apply/In_map_iff.
    by exists (r, b, v).
  rewrite !all_columnsE; case: K => [||lo hi|sides] //=.
  + by move=> /In_map_iff[j /In_iota hj ->]; constructor 2; exists j; rewrite // nth_nseq hj.
  + move=> /In_cat[]/In_map_iff[j /In_iota hj ->]; [constructor 2 | constructor 3]; exists j; by rewrite // nth_nseq hj.
  + move=> /In_map_iff[s hs ->]; constructor 1; exists (polytope_general s) => //.
    by apply/In_cat; right; apply/In_map_iff; exists s.
- move=> r /In_cat[]/In_map_iff[].
    by move=> [[r' b] v] h ->; exists (layer_condition R n x (r', b, v)) => //; apply: In_conditions_layer.
  move=> s hs ->; exists (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) => //.
  by apply: In_conditions_domain; case: K hs => //= sides hs; apply/In_map_iff; exists s.
- move=> j; rewrite all_columnsE nth_nseq; case: ltnP => // hj.
  case: K (@In_conditions_domain) => [||lo hi|sides] inL //= _.
    by exists (lower_condition n j (nth 0 (rational R x) j)) => //; apply/inL/In_map_iff; exists j => //; apply/In_iota.
  exists (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) => //.
  by apply/inL/In_cat; left; apply/In_map_iff; exists j => //; apply/In_iota.
- move=> j; rewrite all_columnsE nth_nseq; case: ltnP => // hj.
  case: K (@In_conditions_domain) => [||lo hi|sides] inL //= _.
  exists (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) => //.
  by apply/inL/In_cat; right; apply/In_map_iff; exists j => //; apply/In_iota.
Qed.

Lemma tight_system_sides : size (lower_sides (tight_system l K x z)) = size (upper_sides (tight_system l K x z)).
Proof. by rewrite tight_systemE /= size_tight_lower size_tight_upper. Qed.
Lemma recession_system_sides : size (lower_sides (recession_system l K z)) = size (upper_sides (recession_system l K z)).
Proof. by rewrite recession_systemE /= !all_columnsE !size_nseq. Qed.

Lemma tight_cone_entries d : tight_cone L d <-> forall e, List.In e (entries_of (tight_system l K x z)) -> entry_holds e d.
Proof. by rewrite -(represents_entries d tight_represents); split=> [h c [h1 h2]|h c h1 h2]; apply: h. Qed.
Lemma recession_cone_entries d : recession_cone L d <-> forall e, List.In e (entries_of (recession_system l K z)) -> entry_holds e d.
Proof. by rewrite -(represents_entries d recession_represents). Qed.

(* P2, P4: the directions of the tight cone satisfy the tight system. *)
Theorem tight_cone_system d : tight_cone L d -> system_holds (tight_system l K x z) (coordinates d).
Proof.
move=> /tight_cone_entries h; apply/entries_system => //; first exact: tight_system_sides.
by move=> e /(proj2 tight_represents)[].
Qed.
(* P2, P4: every tight condition has the normal 0 or is an entry of the tight system. *)
Theorem tight_condition_entry c : List.In c L -> tight c -> Polyhedron.normal c = 0 \/
  exists2 e, List.In e (entries_of (tight_system l K x z)) & Polyhedron.normal c = entry_vector R n e /\ equality c = entry_equality e.
Proof. by move=> cL ct; apply: (proj1 tight_represents). Qed.
(* P2, P4: every entry of the tight system holds in the tight cone. *)
Theorem entry_tight_condition e : List.In e (entries_of (tight_system l K x z)) -> entry_ok n e /\
  forall u, tight_cone L u -> if entry_equality e then entry_at_vector e u = 0 else entry_at_vector e u <= 0.
Proof. by move=> he; split; [have [] := proj2 tight_represents e he | move=> u /tight_cone_entries/(_ e he)]. Qed.
(* P2: the directions of the recession cone satisfy the recession system. *)
Theorem recession_cone_system d : recession_cone L d -> system_holds (recession_system l K z) (coordinates d).
Proof.
move=> /recession_cone_entries h; apply/entries_system => //; first exact: recession_system_sides.
by move=> e /(proj2 recession_represents)[].
Qed.
(* P2: the entries of the recession system have the right sizes. *)
Theorem recession_entry_ok e : List.In e (entries_of (recession_system l K z)) -> entry_ok n e.
Proof. by move=> /(proj2 recession_represents)[]. Qed.
(* P2: a direction that satisfies the entries of the recession system is in the recession cone. *)
Theorem system_recession_cone (d : 'cV[R]_n) :
  (forall e, List.In e (entries_of (recession_system l K z)) ->
     if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0) -> recession_cone L d.
Proof. by move=> h; apply/recession_cone_entries. Qed.
End SystemsAt.

(* ---------- the rows A_P ---------- *)

Section Active.
Variable R : realFieldType.
Variables (l : layer) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let y := layer_at l (rational R x).
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n) (point_x : is_point n x).

(* P1: A_P by the signs of the numerators is A_P by the signs of the outputs. *)
Theorem active_rows_list : active_rows l z = [seq layer_general true r | r <- active_list l y].
Proof.
rewrite active_rowsE /z layer_dataE /active_list /y /layer_at zip_with_image !filter_map -!map_comp.
congr map; apply: eq_filter_In => -[r b] /In_zip[/= hr _]; rewrite /active /= /in_P.
rewrite (row_numerator_gt0 R point_x hr); case: b => //=.
by rewrite lt_maxr ltxx /= /row_at pmulr_lgt0 // two_gt0.
Qed.

Lemma In_active_rows r : List.In r (active_rows l z) <->
  exists2 rbv, List.In rbv (layer_data l z) & in_P rbv.1.2 rbv.2 /\ r = layer_general true rbv.1.1.
Proof.
rewrite active_rowsE In_map_iff; split=> [[a /In_filter[h1 h2] ->]|[a h1 [h2 ->]]]; first by exists a.
by exists a => //; apply/In_filter.
Qed.
(* P1: the active rows have the right size. *)
Theorem active_entry_ok r : List.In r (active_rows l z) -> entry_ok n (General r).
Proof. by case/In_active_rows => -[[r' b] v] /In_layer_data[/widths hr _ _] [_ ->]. Qed.

(* the rank of A_P: its rows are the normals up to positive factors *)
Lemma rank_scaled_rows (rs : seq row) :
  \rank (\matrix_(i < size rs, j < n) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j) =
  \rank (entries_matrix R n [seq General (layer_general true r) | r <- rs]).
Proof.
have entry i : (i < size rs)%N ->
    entry_vector R n (nth (Side 0 Z0) [seq General (layer_general true r) | r <- rs] i) =
    normal_vector R n (coefficients (nth (Row Z0 Z0 [::]) rs i)).
  by move=> hi; rewrite (nth_map (Row Z0 Z0 [::])).
apply/eqP; rewrite eqn_leq; apply/andP; split; apply/mxrankS/row_subP => i.
  have hi : (i < size [seq General (layer_general true r) | r <- rs])%N by rewrite size_map.
  apply: submx_trans (row_sub (Ordinal hi) (entries_matrix R n _)).
  suff -> : matrix.row i (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j) =
      two R (exponent (nth (Row Z0 Z0 [::]) rs i)) *: matrix.row (Ordinal hi) (entries_matrix R n _) by apply: scalemx_sub.
  by apply/rowP => j; rewrite !mxE /= entry // !mxE mulrC.
have hi : (i < size rs)%N by have := ltn_ord i; rewrite [X in (_ < X)%N]size_map.
apply: submx_trans (row_sub (Ordinal hi) (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j)).
suff -> : matrix.row i (entries_matrix R n [seq General (layer_general true r) | r <- rs]) =
    (two R (exponent (nth (Row Z0 Z0 [::]) rs i)))^-1 *:
    matrix.row (Ordinal hi) (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j).
  exact: scalemx_sub.
by apply/rowP => j; rewrite !mxE entry // !mxE /= mulrCA mulVf ?mulr1 // two_neq0.
Qed.

(* P1: the rank of A_P is that of the active rows. *)
Theorem active_rows_matrix : \rank (active_matrix l y) = \rank (entries_matrix R n [seq General r | r <- active_rows l z]).
Proof. by rewrite active_rows_list -map_comp; apply: rank_scaled_rows. Qed.

(* P1: the equalities of both systems are the active rows, without zero rows. *)
Theorem equality_entry_active K e : is_domain n K -> entry_equality e ->
  List.In e (entries_of (tight_system l K x z)) \/ List.In e (entries_of (recession_system l K z)) ->
  exists2 r, List.In r (active_rows l z) & e = General r.
Proof.
move=> hK he; have active rbv : List.In rbv (layer_data l z) -> in_P rbv.1.2 rbv.2 ->
    List.In (layer_general (in_P rbv.1.2 rbv.2) rbv.1.1) (active_rows l z).
  by move=> h hP; apply/In_active_rows; exists rbv; rewrite ?hP.
case=> /In_entries[|[r hr e_r]|[j _ ej]|[j _ ej]]; try by rewrite ej in he.
- exact: tight_system_sides.
- exists r => //; move: hr he; rewrite e_r tight_systemE tight_layer_rowsE =>
    /In_nonzero_rows[/In_cat[]/In_map_iff[a /In_filter[ha _] ->] _] //=.
  exact: active.
- exact: recession_system_sides.
- exists r => //; move: hr he; rewrite e_r recession_systemE => /In_nonzero_rows[/In_cat[]/In_map_iff[a ha ->] _] //=.
  exact: active.
Qed.
(* P1: every active row has the normal 0 or is an entry of both systems. *)
Theorem active_row_entry K r : is_domain n K -> List.In r (active_rows l z) -> entry_vector R n (General r) = 0 \/
  List.In (General r) (entries_of (tight_system l K x z)) /\ List.In (General r) (entries_of (recession_system l K z)).
Proof.
move=> hK /In_active_rows[a ha [hP ->]]; case zr: (is_zero (coefficients a.1.1)); first by left; apply: normal_vector_zero.
have e : layer_general true a.1.1 = layer_general (in_P a.1.2 a.2) a.1.1 by rewrite hP.
right; split; apply/In_entries; rewrite ?tight_system_sides ?recession_system_sides //; constructor 1;
  exists (layer_general true a.1.1) => //.
  rewrite tight_systemE tight_layer_rowsE; apply/In_nonzero_rows; rewrite /= zr; split=> //; apply/In_cat; left.
  by apply/In_map_iff; exists a => //; apply/In_filter; rewrite hP.
rewrite recession_systemE; apply/In_nonzero_rows; rewrite /= zr; split=> //; apply/In_cat; left.
by apply/In_map_iff; exists a.
Qed.
End Active.
