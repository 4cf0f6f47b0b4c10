(* P1: around a point x of the domain, the pre-image of x's output under a layer is a polyhedron.  A displacement u from x stays in
   the pre-image iff every row of P (no relu follows, or its value is positive) keeps its value, every other row stays at or below
   0, and the conditions of the domain hold.  Each is one linear condition on u, whose slack at u = 0 is not negative. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Farkas Polyhedron Claims Systems Checker.
From ExactRelu Require Import EntryVectors EvaluationSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- columns and rows ---------- *)

Section Columns.
Variables (R : realFieldType) (n : nat).
Implicit Types (s : seq R) (u : 'cV[R]_n) (e : entry).

Lemma coordinatesD u u' j : nth 0 (coordinates (u + u')) j = nth 0 (coordinates u) j + nth 0 (coordinates u') j.
Proof.
case: (ltnP j n) => hj; last by rewrite !nth_default ?size_coordinates // addr0.
by rewrite !(nth_coordinates _ (Ordinal hj)) mxE.
Qed.

(* the row of integers a as a vector *)
Definition normal_vector (a : seq Z) : 'rV[R]_n := \row_j embed (nth Z0 a j).
Lemma ev_normal a u : ev (normal_vector a) u = dotR a (coordinates u).
Proof. exact: (entry_at_vectorE (General (GeneralRow true xH Z0 a)) u). Qed.
Lemma ev_side j sign u : ev (entry_vector R n (Side j sign)) u = embed sign * nth 0 (coordinates u) j.
Proof. exact: (entry_at_vectorE (Side j sign) u). Qed.
Lemma dotR_shift a s u : size s = n -> dotR a (coordinates (vector_of n s + u)) = dotR a s + ev (normal_vector a) u.
Proof. by move=> hs; rewrite -ev_normal evDr ev_normal coordinates_vector_of. Qed.
Lemma nth_shift s u j : size s = n -> nth 0 (coordinates (vector_of n s + u)) j = nth 0 s j + nth 0 (coordinates u) j.
Proof. by move=> hs; rewrite coordinatesD coordinates_vector_of. Qed.
End Columns.

(* ---------- the pre-image as a polyhedron (P1) ---------- *)

Section Conditions.
Variable R : realFieldType.
Notation two := (two R).
Notation rational := (rational R).
Implicit Types (x z : point) (l : layer) (K : domain).

(* the rows with their marks and values *)
Definition layer_data l z : seq (row * bool * Z) := zip (zip (rows l) (rectified l)) (numerators z).

(* The conditions on a displacement u from x: a row of P keeps its value, another row stays at or below 0. *)
Definition layer_condition n x (rbv : row * bool * Z) : condition R n :=
  let: (r, marked, v) := rbv in
  Condition (in_P marked v) (normal_vector R n (coefficients r)) (- (embed (constant r) + dotR (coefficients r) (rational x))).
Definition lower_condition n (j : nat) (slack : R) : condition R n := Condition false (entry_vector R n (Side j (Zneg xH))) slack.
Definition upper_condition n (j : nat) (slack : R) : condition R n := Condition false (entry_vector R n (Side j (Zpos xH))) slack.
Definition domain_conditions n K x : seq (condition R n) :=
  match K with
  | AllSpace => [::]
  | Orthant => [seq lower_condition n j (nth 0 (rational x) j) | j <- iota 0 n]
  | Box lo hi => [seq lower_condition n j (nth 0 (rational x) j - nth 0 (rational lo) j) | j <- iota 0 n] ++
                 [seq upper_condition n j (nth 0 (rational hi) j - nth 0 (rational x) j) | j <- iota 0 n]
  | Polytope sides => [seq Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational x))) | s <- sides]
  end.
Definition conditions l K x z : seq (condition R (inputs l)) :=
  [seq layer_condition (inputs l) x rbv | rbv <- layer_data l z] ++ domain_conditions (inputs l) K x.

Lemma layer_dataE l x : layer_data l (row_values l x) = [seq (rb, row_numerator l x rb.1) | rb <- zip (rows l) (rectified l)].
Proof. by rewrite /layer_data numerators_row_values zip_zip_with_image. Qed.
(* what is known of a row with its mark and its value *)
Lemma In_layer_data l x r b v : List.In (r, b, v) (layer_data l (row_values l x)) ->
  [/\ List.In r (rows l), List.In (r, b) (zip (rows l) (rectified l)) & v = row_numerator l x r].
Proof. by rewrite layer_dataE => h; have [[r' b'] h' [-> -> ->]] := In_map h; have [hr _] := In_zip h'. Qed.

Section At.
Variables (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let x0 := vector_of n (rational x).
Hypotheses (point_x : is_point n x) (domain_K : is_domain n K).

Let x_gt0 : Z.lt 0 (denominator x). Proof. by case: point_x. Qed.
Let size_x : size (rational x) = n. Proof. by rewrite size_rational; case: point_x. Qed.

(* a row's numerator, and the sign of its affine value *)
Lemma row_at_numerator r : List.In r (rows l) ->
  embed (row_numerator l x r) / embed (denominator z) = (embed (constant r) + dotR (coefficients r) (rational x)) * two (exponent r).
Proof. exact: row_numerator_value. Qed.
Lemma z_gt0 : Z.lt 0 (denominator z). Proof. exact: row_values_denominator. Qed.
Lemma row_numerator_gt0 r : List.In r (rows l) ->
  Z.ltb Z0 (row_numerator l x r) = (0 < embed (constant r) + dotR (coefficients r) (rational x)).
Proof. by move=> hr; rewrite -(fraction_gt0 R _ z_gt0) row_at_numerator // pmulr_lgt0 // two_gt0. Qed.
Lemma row_numerator_eq0 r : List.In r (rows l) ->
  Z.eqb (row_numerator l x r) Z0 = (embed (constant r) + dotR (coefficients r) (rational x) == 0).
Proof. by move=> hr; rewrite -(fraction_eq0 R _ z_gt0) row_at_numerator // mulf_eq0 (negbTE (two_neq0 _ _)) orbF. Qed.
Lemma side_eq0 (s : Z * seq Z) :
  Z.eqb (Z.add (Z.mul s.1 (denominator x)) (dot s.2 (numerators x))) Z0 = (embed s.1 + dotR s.2 (rational x) == 0).
Proof.
rewrite -(fraction_eq0 R _ x_gt0) embedD embedM dotR_rational mulrDl mulfK //.
by rewrite gt_eqF // embed_gt0.
Qed.

(* P1: no slack is negative. *)
Theorem slack_ge0 : contains K x -> forall c, List.In c (conditions l K x z) -> ~~ equality c -> 0 <= slack c.
Proof.
move=> /(contains_sound R domain_K point_x) hK c /In_cat[/In_map_iff[[[r b] v] /In_layer_data[hr _ ->] ->] /=|].
  by rewrite negb_or row_numerator_gt0 // -leNgt oppr_ge0 => /andP[].
case: K hK => //=.
- by move=> h /In_map_iff[j /In_iota hj ->] _; apply: h.
- by move=> lo hi h /In_cat[] /In_map_iff[j /In_iota /h/andP[h1 h2] ->] _ /=; rewrite subr_ge0.
- by move=> sides h /In_map_iff[s /h hs ->] _ /=; rewrite oppr_ge0.
Qed.

Lemma relu_unchanged (b : bool) (c d t : R) : 0 < t ->
  (if b then Num.max 0 ((c + d) * t) else (c + d) * t) = (if b then Num.max 0 (c * t) else c * t) <->
  (if ~~ b || (0 < c) then d = 0 else d <= - c).
Proof.
move=> t0; have ct_gt0 : (0 < c * t) = (0 < c) by rewrite pmulr_lgt0.
have unchanged : (c + d) * t = c * t <-> d = 0.
  split=> [/(mulIf (lt0r_neq0 t0))/eqP|->]; last by rewrite addr0.
  by rewrite -subr_eq0 addrAC subrr add0r => /eqP.
case: b => //=; case: ifP => [h|/negbT].
  rewrite [RHS](max_r) ?ltW ?ct_gt0 //; split=> [|/unchanged ->]; last by rewrite max_r // ltW // ct_gt0.
  by case: leP => [_ /unchanged // | _ /esym e]; move: h; rewrite -ct_gt0 e ltxx.
rewrite -leNgt => h; have -> : Num.max 0 (c * t) = 0 by rewrite max_l // pmulr_lle0.
rewrite ler_oppr -subr_le0 opprK -(pmulr_lle0 _ t0); split=> [<-|h']; last by rewrite max_l.
by rewrite le_maxr lexx orbT.
Qed.

Lemma layer_unchanged u : layer_at l (coordinates (x0 + u)) = layer_at l (rational x) <->
  forall c, List.In c [seq layer_condition n x rbv | rbv <- layer_data l z] -> holds c u.
Proof.
rewrite /layer_at eq_map_In; have shift r := dotR_shift (coefficients r) u size_x.
have row r b : List.In r (rows l) ->
    (if b then Num.max 0 (row_at (coordinates (x0 + u)) r) else row_at (coordinates (x0 + u)) r) =
    (if b then Num.max 0 (row_at (rational x) r) else row_at (rational x) r) <->
    holds (layer_condition n x (r, b, row_numerator l x r)) u.
  move=> hr; rewrite /holds /= /in_P row_numerator_gt0 // /row_at shift addrA.
  exact/relu_unchanged/two_gt0.
split=> [h c /In_map_iff[[[r b] v] /In_layer_data[hr hrb ->] ->]|h [r b] hrb]; first exact/row/(h (r, b)).
have [hr _] := In_zip hrb; apply/row => //; apply: h; rewrite /z layer_dataE -map_comp.
by apply/In_map_iff; exists (r, b).
Qed.

Lemma in_domain_shift u : in_domain n K (coordinates (x0 + u)) <->
  forall c, List.In c (domain_conditions n K x) -> holds c u.
Proof.
have lower j (s : R) : (j < n)%N -> holds (lower_condition n j s) u <-> - nth 0 (coordinates u) j <= s.
  by move=> hj; rewrite /holds /= ev_side mulN1r.
have upper j (s : R) : (j < n)%N -> holds (upper_condition n j s) u <-> nth 0 (coordinates u) j <= s.
  by move=> hj; rewrite /holds /= ev_side mul1r.
case: K => //=.
- split=> [h c /In_map_iff[j /In_iota hj ->]|h j hj].
    by apply/lower => //; have := h j hj; rewrite nth_shift // -ler_subl_addl sub0r ler_oppl.
  rewrite nth_shift // -ler_subl_addl sub0r ler_oppl; apply/lower => //; apply: h.
  by apply/In_map_iff; exists j => //; apply/In_iota.
- move=> lo hi; split=> [h c /In_cat[]/In_map_iff[j /In_iota hj ->]|h j hj].
  + by apply/lower => //; have /andP[] := h j hj; rewrite nth_shift // ler_oppl opprB ler_subl_addl.
  + by apply/upper => //; have /andP[_] := h j hj; rewrite nth_shift // ler_subr_addl.
  apply/andP; rewrite nth_shift //; split.
    rewrite -ler_subl_addl -opprB ler_oppl; apply/lower => //; apply: h; apply/In_cat; left.
    by apply/In_map_iff; exists j => //; apply/In_iota.
  rewrite -ler_subr_addl; apply/upper => //; apply: h; apply/In_cat; right.
  by apply/In_map_iff; exists j => //; apply/In_iota.
- move=> sides; have one (s : Z * seq Z) : embed s.1 + dotR s.2 (coordinates (x0 + u)) <= 0 <->
      ev (normal_vector R n s.2) u <= - (embed s.1 + dotR s.2 (rational x)).
    by rewrite dotR_shift // addrA -ler_subr_addl sub0r.
  split=> [h c /In_map_iff[s hs ->]|h s hs]; first exact/one/h.
  by apply/one; have := h _ (map_In _ hs).
Qed.

(* P1: around a point x of the domain the pre-image of x's value is a polyhedron. *)
Theorem preimage_polyhedron u :
  preimage (l := l) K (layer_at l (rational x)) (x0 + u) <-> polyhedron (conditions l K x z) u.
Proof.
rewrite /preimage in_domain_shift layer_unchanged; split=> [[h1 h2] c /In_cat[/h2|/h1] //|h].
by split=> c hc; apply: h; apply/In_cat; [right | left].
Qed.
End At.
End Conditions.

(* P2: a box is bounded, and so is every pre-image within it. *)
Theorem box_bounded (R : realFieldType) n lo hi : bounded (fun x : 'cV[R]_n => in_domain n (Box lo hi) (coordinates x)).
Proof.
pose a (p : point) (j : nat) : R := nth 0 (rational R p) j.
exists (\sum_(j < n) (`|a lo j| + `|a hi j|)) => x /= h i; have /andP[] := h i (ltn_ord i).
rewrite nth_coordinates -/(a lo i) -/(a hi i) => h1 h2.
apply: (@le_trans _ _ (`|a lo i| + `|a hi i|)); last first.
  by rewrite [X in _ <= X](bigD1 i) //= ler_addl sumr_ge0 // => j _; rewrite addr_ge0.
rewrite ler_norml ler_oppl; apply/andP; split.
  by rewrite (@le_trans _ _ (- a lo i)) ?ler_opp2 // (le_trans (ler_norm _)) // normrN ler_addl.
by rewrite (le_trans h2) // (le_trans (ler_norm _)) // ler_addr.
Qed.
(* P2: every pre-image within a box is bounded. *)
Theorem bounded_box (R : realFieldType) l lo hi (y : seq R) : bounded (preimage (l := l) (Box lo hi) y).
Proof. by have [M hM] := box_bounded R (inputs l) lo hi; exists M => x [h _]; apply: hM. Qed.
