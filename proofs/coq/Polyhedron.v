(* The abstract theory behind the pre-image of a ReLU layer (P2, P3, P4, C6): a polyhedron given by linear equalities and
   inequalities, seen from one of its points.  When it is a single point, when it is bounded, which dimension it has, and what
   a dependency with non-negative multipliers says about it.  Everything constructive, over an arbitrary ordered field. *)
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Farkas.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Polyhedron.
Variables (R : realFieldType) (n : nat).
Implicit Types (d u v x : 'cV[R]_n).

(* A set has affine dimension k if it contains k + 1 affinely independent points x0, x0 + D_1, ..., x0 + D_k
   and lies in their affine hull.  (The empty set has no dimension.) *)
Definition affine_dimension (X : 'cV[R]_n -> Prop) (k : nat) := exists x0 (D : 'M[R]_(k, n)),
  [/\ X x0, row_free D, forall i, X (x0 + (row i D)^T) & forall x, X x -> ((x - x0)^T <= D)%MS].

(* A condition on a displacement u from a base point of the polyhedron: a.u = 0, or a.u <= slack. *)
Record condition := Condition { equality : bool; normal : 'rV[R]_n; slack : R }.
Definition holds (c : condition) u : Prop := if equality c then ev (normal c) u = 0 else ev (normal c) u <= slack c.

Lemma affine_dimension_le (X : 'cV[R]_n -> Prop) k k' : affine_dimension X k -> affine_dimension X k' -> (k <= k')%N.
Proof.
move=> [x0 [D [Xx0 /eqP rD XD _]]] [y0 [D' [_ /eqP rD' _ hull]]]; rewrite -rD -rD'.
(* each D_i is the difference of two points of X, and so lies in the span of D' *)
apply/mxrankS/row_subP => i.
have -> : row i D = (x0 + (row i D)^T - y0)^T + (-1) *: (x0 - y0)^T.
  by apply/rowP => j; rewrite !mxE mulN1r opprB addrA subrK addrAC subrr add0r.
by apply: addmx_sub; [apply: hull | apply/scalemx_sub/hull].
Qed.

(* P2: a set has at most one affine dimension. *)
Theorem affine_dimension_unique (X : 'cV[R]_n -> Prop) k k' : affine_dimension X k -> affine_dimension X k' -> k = k'.
Proof. by move=> h h'; apply/eqP; rewrite eqn_leq !(@affine_dimension_le X). Qed.

(* Finitely many strict inequalities a.x < b that hold at x0 still hold after a small step in each of finitely many directions. *)
Lemma strict_inequalities_nearby (T : Type) (s : seq T) (a : T -> 'rV[R]_n) (b : T -> R) (p : nat) (v : 'I_p -> 'cV[R]_n) x0 :
  exists2 e, 0 < e & forall c, List.In c s -> ev (a c) x0 < b c -> forall i, ev (a c) (x0 + e *: v i) < b c.
Proof.
(* it is enough to make e * N_c smaller than the gap b_c - a_c.x0, with N_c the sum of the |a_c.v_i| *)
pose N c := \sum_i `|ev (a c) (v i)|.
have N_ge c i : `|ev (a c) (v i)| <= N c by rewrite /N (bigD1 i) //= ler_addl sumr_ge0.
have N_ge0 c : 0 <= N c by apply: sumr_ge0.
suff [e e_gt0 he] : exists2 e, 0 < e & forall c, List.In c s -> ev (a c) x0 < b c -> e * N c < b c - ev (a c) x0.
  exists e => // c cs gap i; rewrite evDr evZr addrC -ltr_subr_addr; apply: le_lt_trans (he c cs gap).
  by rewrite ler_pmul2l // (le_trans (ler_norm _)).
elim: s => [|c s [e e_gt0 he]]; first by exists 1.
have N1_gt0 : 0 < 1 + N c by rewrite ltr_paddr.
case: (ltP (ev (a c) x0) (b c)) => gap; last first.
  by exists e => // c' /= [<-|]; [rewrite ltNge gap | exact: he].
have q_gt0 : 0 < (b c - ev (a c) x0) / (1 + N c) by rewrite divr_gt0 // subr_gt0.
exists (Num.min e ((b c - ev (a c) x0) / (1 + N c))); first by rewrite lt_minr e_gt0.
move=> c' /= [<- _|c's gap']; last by apply: le_lt_trans (he c' c's gap'); rewrite ler_wpmul2r // le_minl lexx.
apply: (@le_lt_trans _ _ ((b c - ev (a c) x0) / (1 + N c) * N c)); first by rewrite ler_wpmul2r // le_minl lexx orbT.
by rewrite mulrAC ltr_pdivr_mulr // ltr_pmul2l ?subr_gt0 // ltr_addr.
Qed.

(* The list of conditions, all of which hold at the base point u = 0: no slack is negative
   (that of an equality is not used). *)
Variable L : seq condition.
Hypothesis slack_ge0 : forall c, List.In c L -> ~~ equality c -> 0 <= slack c.

Definition polyhedron u : Prop := forall c, List.In c L -> holds c u.
(* the conditions that hold with equality at the base point *)
Definition tight (c : condition) : bool := equality c || (slack c == 0).
(* the tight conditions, and all conditions, as homogeneous ones *)
Definition tight_cone d := forall c, List.In c L -> tight c ->
  if equality c then ev (normal c) d = 0 else ev (normal c) d <= 0.
Definition recession_cone d := forall c, List.In c L ->
  if equality c then ev (normal c) d = 0 else ev (normal c) d <= 0.

Lemma slack_gt0 c : List.In c L -> ~~ tight c -> 0 < slack c.
Proof. by move=> cL; rewrite negb_or => /andP[ne s0]; rewrite lt_neqAle eq_sym s0 slack_ge0. Qed.

Lemma polyhedron0 : polyhedron 0.
Proof. by move=> c cL; rewrite /holds ev0r; case: ifPn => // /(slack_ge0 cL). Qed.

Lemma polyhedron_tight_cone u : polyhedron u -> tight_cone u.
Proof.
move=> Pu c cL; have := Pu c cL; rewrite /holds /tight.
by case: (equality c) => //= h /eqP <-.
Qed.

(* The polyhedron contains the segment from the base point to any of its points. *)
Lemma polyhedron_segment u t : polyhedron u -> 0 <= t <= 1 -> polyhedron (t *: u).
Proof.
move=> Pu /andP[t0 t1] c cL; have := Pu c cL; rewrite /holds evZr.
case: ifPn => [_ ->|/(slack_ge0 cL) s0 h]; first by rewrite mulr0.
apply: (@le_trans _ _ (t * slack c)); first by rewrite ler_wpmul2l.
by rewrite -[X in _ <= X]mul1r ler_wpmul2r.
Qed.

(* A small step along a direction of the tight cone stays in the polyhedron. *)
Lemma tight_cone_step d : tight_cone d -> exists2 e, 0 < e & polyhedron (e *: d).
Proof.
move=> Td; have [e e_gt0 he] := strict_inequalities_nearby L normal slack (fun _ : 'I_1 => d) 0.
exists e => // c cL; rewrite /holds; case tc: (tight c).
  have := Td c cL tc; rewrite evZr; case: ifPn => [_ ->|ne h]; first by rewrite mulr0.
  by apply: le_trans (slack_ge0 cL ne); rewrite pmulr_rle0.
case: ifPn => [eq_c|_]; first by rewrite /tight eq_c in tc.
by rewrite -[e *: d]add0r ltW // he ?ev0r ?slack_gt0 ?tc //; apply: ord0.
Qed.

(* P2, P4: the base point is the only point of the polyhedron iff 0 is the only direction that satisfies the tight conditions. *)
Theorem singleton_iff_tight_cone_trivial : (forall u, polyhedron u -> u = 0) <-> (forall d, tight_cone d -> d = 0).
Proof.
split=> [single d /tight_cone_step[e e_gt0 /single/eqP]|trivial u /polyhedron_tight_cone/trivial //].
by rewrite scaler_eq0 gt_eqF //= => /eqP.
Qed.

(* the rows that have non-positive products with the directions of the recession cone: normals of equalities count with both signs *)
Definition signed_normals (s : seq condition) : seq 'rV[R]_n :=
  flatten [seq if equality c then [:: normal c; - normal c] else [:: normal c] | c <- s].

Lemma mem_signed_normals s b : b \in signed_normals s ->
  exists2 c, List.In c s & b = normal c \/ equality c /\ b = - normal c.
Proof.
elim: s => //= c s IH; rewrite /signed_normals /= mem_cat => /orP[|/IH[c' c's hb]]; last by exists c' => //; right.
by case: ifP => eq_c; rewrite !inE; [case/orP|] => /eqP->; exists c; rewrite ?eq_c; auto.
Qed.

Lemma signed_normals_le0 s d : (forall b, b \in signed_normals s -> ev b d <= 0) ->
  forall c, List.In c s -> if equality c then ev (normal c) d = 0 else ev (normal c) d <= 0.
Proof.
elim: s => //= c s IH h c' [<-|c's]; last first.
  by apply: IH => // b hb; apply: h; rewrite /signed_normals /= mem_cat -/(signed_normals s) hb orbT.
have hc b : b \in (if equality c then [:: normal c; - normal c] else [:: normal c]) -> ev b d <= 0.
  by move=> hb; apply: h; rewrite /signed_normals /= mem_cat hb.
case: ifP hc => _ hc; last by apply: hc; rewrite mem_head.
by apply/eqP; rewrite eq_le hc ?mem_head // -oppr_le0 -evN hc // !inE eqxx orbT.
Qed.

(* Either every coordinate row +-e_j is in the cone of s, or some d != 0 has non-positive products with all of s. *)
Lemma cone_all_or_direction (s : seq 'rV[R]_n) :
  (forall j, cone s (delta_mx 0 j) /\ cone s (- delta_mx 0 j)) \/ exists2 d : 'cV[R]_n, d != 0 & forall a, a \in s -> ev a d <= 0.
Proof.
suff [h|h] : (forall j, j \in enum 'I_n -> cone s (delta_mx 0 j) /\ cone s (- delta_mx 0 j)) \/
    exists2 d : 'cV[R]_n, d != 0 & forall a, a \in s -> ev a d <= 0; [by left=> j; apply: h; rewrite mem_enum|by right|].
have alternative b : cone s b \/ exists2 d : 'cV[R]_n, d != 0 & forall a, a \in s -> ev a d <= 0.
  case: (farkas s b) => [|[d [hs hb]]]; [by left | right; exists d => //].
  by apply: contraTneq hb => ->; rewrite ev0r ltxx.
elim: (enum _) => [|j r [IH|]]; [by left | | by right].
case: (alternative (delta_mx 0 j)) => [h1|]; last by right.
case: (alternative (- delta_mx 0 j)) => [h2|]; last by right.
by left=> i; rewrite inE => /orP[/eqP->|/IH].
Qed.

Lemma ev_delta j x : ev (delta_mx 0 j) x = x j 0.
Proof. by rewrite /ev -rowE mxE. Qed.

(* A combination of the rows s with multipliers >= 0 is bounded above wherever all of s are. *)
Lemma cone_bounded_above (X : 'cV[R]_n -> Prop) s a : cone s a ->
  (forall b, b \in s -> exists M, forall u, X u -> ev b u <= M) -> exists M, forall u, X u -> ev a u <= M.
Proof.
elim=> [_|b r c k k0 _ IH h]; first by exists 0 => u _; rewrite ev0.
have [M hM] := h b (mem_head _ _); have [|M' hM'] := IH; first by move=> b' b'r; apply: h; rewrite inE b'r orbT.
by exists (k * M + M') => u Xu; rewrite evD evZ ler_add ?hM' // ler_wpmul2l ?hM.
Qed.

Lemma normals_bounded_above b : b \in signed_normals L -> exists M, forall u, polyhedron u -> ev b u <= M.
Proof.
move=> /mem_signed_normals[c cL hb]; exists (if equality c then 0 else slack c) => u /(_ c cL); rewrite /holds.
by case: hb => [->|[-> ->]]; [case: ifP => // _ -> | rewrite evN => ->; rewrite oppr0].
Qed.

(* P2: if 0 is the only recession direction, then the polyhedron is bounded. *)
Theorem recession_cone_trivial_bounded : (forall d, recession_cone d -> d = 0) ->
  exists M, forall u, polyhedron u -> forall i, `|u i 0| <= M.
Proof.
move=> trivial; case: (cone_all_or_direction (signed_normals L)) => [h|[d /eqP dn0 hd]]; last first.
  by case: dn0; apply/trivial/signed_normals_le0.
(* u_j and - u_j are bounded by numbers M_j; their sum bounds all |u_i| *)
have /fin_all_exists[M hM] j : exists M, forall u, polyhedron u -> `|u j 0| <= M.
  have [/cone_bounded_above hp /cone_bounded_above hn] := h j.
  have [M1 h1] := hp _ normals_bounded_above; have [M2 h2] := hn _ normals_bounded_above.
  exists (Num.max M1 M2) => u Pu; rewrite ler_norml ler_oppl !le_maxr.
  by have := h1 u Pu; have := h2 u Pu; rewrite evN ev_delta => -> ->; rewrite orbT.
exists (\sum_j `|M j|) => u Pu i; apply: (le_trans (hM i u Pu)); apply: (le_trans (ler_norm _)).
by rewrite (bigD1 i) //= ler_addl sumr_ge0.
Qed.

Lemma recession_cone_ray d t : recession_cone d -> 0 <= t -> polyhedron (t *: d).
Proof.
move=> Rd t0 c cL; have := Rd c cL; rewrite /holds evZr; case: ifPn => [_ ->|ne h]; first by rewrite mulr0.
by apply: le_trans (slack_ge0 cL ne); rewrite mulr_ge0_le0.
Qed.

(* P2: along a non-zero recession direction the polyhedron is unbounded. *)
Theorem recession_direction_unbounded d : recession_cone d -> d != 0 ->
  forall M, exists2 u, polyhedron u & exists i, M < `|u i 0|.
Proof.
move=> Rd dn0 M; have [i di] : exists i, d i 0 != 0.
  apply/existsP; apply: contraR dn0; rewrite negb_exists => /forallP h.
  by apply/eqP/colP => i; rewrite mxE; apply/eqP; rewrite -[_ == _]negbK.
have t0 : 0 <= (`|M| + 1) / `|d i 0| by rewrite divr_ge0 // addr_ge0.
exists ((`|M| + 1) / `|d i 0| *: d); first exact: recession_cone_ray.
exists i; rewrite mxE normrM (ger0_norm t0) divfK ?normr_eq0 //.
by rewrite ltr_spaddr // ler_norm.
Qed.

(* P2: the polyhedron is bounded iff 0 is its only recession direction. *)
Theorem bounded_iff_recession_cone_trivial : (exists M, forall u, polyhedron u -> forall i, `|u i 0| <= M) <->
  (forall d, recession_cone d -> d = 0).
Proof.
split=> [[M hM] d Rd|]; last exact: recession_cone_trivial_bounded.
apply/eqP/negPn/negP => dn0; have [u Pu [i]] := recession_direction_unbounded Rd dn0 M.
by rewrite ltNge hM.
Qed.

(* P2: the polyhedron is its base point alone, or infinite: it contains a segment. *)
Theorem singleton_or_segment : (forall u, polyhedron u -> u = 0) \/
  (exists2 u : 'cV[R]_n, u != 0 & forall t, 0 <= t <= 1 -> polyhedron (t *: u)).
Proof.
pose T := [seq c <- L | tight c].
have inT c : List.In c T <-> List.In c L /\ tight c by rewrite /T; apply: List.filter_In.
case: (cone_all_or_direction (signed_normals T)) => [h|[d dn0 /signed_normals_le0 hd]]; [left|right].
  move=> u /polyhedron_tight_cone Tu; have le0 b : b \in signed_normals T -> ev b u <= 0.
    move=> /mem_signed_normals[c /inT[cL /(Tu c cL) hu] hb].
    by case: hb hu => [->|[-> ->]]; [case: ifP => // _ -> | rewrite evN => ->; rewrite oppr0].
  have cone_le0 a : cone (signed_normals T) a -> ev a u <= 0.
    move: le0; move: (signed_normals T) => s le0 hs; elim: hs le0 => [|b r c k k0 _ IH] le0; first by rewrite ev0.
    rewrite evD evZ -[0]addr0 ler_add //; first by rewrite mulr_ge0_le0 // le0 ?mem_head.
    by apply: IH => b' b'r; apply: le0; rewrite inE b'r orbT.
  apply/colP => j; rewrite mxE; apply/eqP; have [/cone_le0 h1 /cone_le0 h2] := h j.
  by move: h1 h2; rewrite evN ev_delta oppr_le0 eq_le => -> ->.
have [|e e_gt0 Pe] := @tight_cone_step d; first by move=> c cL tc; apply: hd; apply/inT.
exists (e *: d); first by rewrite scaler_eq0 gt_eqF.
by move=> t; apply: polyhedron_segment.
Qed.

(* C6: let every point of the polyhedron satisfy the equations M u = 0, and let a solution d of these equations show that no more
   than they is implied: each tight condition either vanishes on all solutions of M u = 0, or is an inequality strict at d.
   Then the dimension of the polyhedron is n - rank M. *)
Theorem dimension_by_implicit_equalities (k : nat) (M : 'M[R]_(k, n)) d :
  (forall u, polyhedron u -> M *m u = 0) -> M *m d = 0 ->
  (forall c, List.In c L -> tight c ->
    (forall u, M *m u = 0 -> ev (normal c) u = 0) \/ (equality c = false /\ ev (normal c) d < 0)) ->
  affine_dimension polyhedron (n - \rank M).
Proof.
move=> PM Md hd; pose K := kermx M^T; have -> : (n - \rank M = \rank K)%N by rewrite mxrank_ker mxrank_tr.
have kerP x : (x^T <= K)%MS = (M *m x == 0).
  by rewrite sub_kermx -trmx_mul -(inj_eq (can_inj (@trmxK _ _ _))) trmxK trmx0.
pose b i := (row i (row_base K))^T.
have Mb i : M *m b i = 0.
  by apply/eqP; rewrite -kerP trmxK (submx_trans (row_sub _ _)) // eq_row_base.
(* a point t d, t > 0, at which every condition that does not vanish on the kernel of M is strict *)
have [t t_gt0 ht] := strict_inequalities_nearby L normal slack (fun _ : 'I_1 => d) 0.
have [s s_gt0 hs] := strict_inequalities_nearby L normal slack b (t *: d).
have Mtd : M *m (t *: d) = 0 by rewrite -scalemxAr Md scaler0.
have td c : List.In c L -> (forall u, M *m u = 0 -> ev (normal c) u = 0) \/
    (equality c = false /\ ev (normal c) (t *: d) < slack c).
  move=> cL; case tc: (tight c).
    case: (hd c cL tc) => [|[ne h]]; [by left | right; split=> //].
    by apply: lt_le_trans (slack_ge0 cL (negbT ne)); rewrite evZr pmulr_rlt0.
  right; split; first by move: tc; rewrite /tight; case: (equality c).
  by rewrite -[t *: d]add0r (ht c cL _ ord0) // ev0r slack_gt0 // tc.
exists (t *: d), (s *: row_base K); split.
- move=> c cL; rewrite /holds; case: (td c cL) => [h0|[-> /ltW //]].
  by rewrite h0 //; case: ifPn => // /(slack_ge0 cL).
- by rewrite /row_free eqmx_scale ?lt0r_neq0 //; apply: row_base_free.
- move=> i; have -> : (row i (s *: row_base K))^T = s *: b i by apply/colP => j; rewrite !mxE.
  move=> c cL; rewrite /holds; case: (td c cL) => [h0|[-> h]]; last by rewrite ltW // hs.
  have -> : ev (normal c) (t *: d + s *: b i) = 0 by rewrite evDr [ev _ (s *: _)]evZr !h0 // mulr0 addr0.
  by case: ifPn => // /(slack_ge0 cL).
- by move=> x /PM Mx; rewrite eqmx_scale ?lt0r_neq0 // eq_row_base kerP mulmxBr Mx Mtd subrr.
Qed.

(* A dependency of tight normals: multipliers, not negative on inequalities, whose combination of the normals is 0.
   A condition may occur several times. *)
Definition dependency (P : seq (condition * R)) : Prop :=
  [/\ forall p, List.In p P -> List.In p.1 L /\ tight p.1, forall p, List.In p P -> ~~ equality p.1 -> 0 <= p.2
    & \sum_(p <- P) p.2 *: normal p.1 = 0].

Lemma sum_le0_eq0 (T : Type) (s : seq T) (F : T -> R) : (forall p, List.In p s -> F p <= 0) -> \sum_(p <- s) F p = 0 ->
  forall p, List.In p s -> F p = 0.
Proof.
have sum_le0 r : (forall p, List.In p r -> F p <= 0) -> \sum_(p <- r) F p <= 0.
  elim: r => [|p r IH] h; rewrite ?big_nil // big_cons -[X in _ <= X]addr0 ler_add //; first by apply: h; left.
  by apply: IH => q qr; apply: h; right.
elim: s => //= p s IH h; rewrite big_cons => sum0.
have hs q : List.In q s -> F q <= 0 by move=> qs; apply: h; right.
have Fp : F p <= 0 by apply: h; left.
have F0 : F p = 0 by apply/eqP; rewrite eq_le Fp -[0]sum0 ger_addl sum_le0.
by move=> q [<-|] //; apply: IH => //; rewrite F0 add0r in sum0.
Qed.

(* C6: an inequality with a positive multiplier in a dependency is an implicit equality of the tight cone. *)
Theorem implicit_equalities P d : dependency P -> tight_cone d ->
  forall p, List.In p P -> ~~ equality p.1 -> 0 < p.2 -> ev (normal p.1) d = 0.
Proof.
move=> [PL P0 sum0] Td p pP _ p_gt0; have /(_ p pP) : forall q, List.In q P -> q.2 * ev (normal q.1) d = 0.
  apply: sum_le0_eq0 => [q qP|].
    have [qL tq] := PL q qP; have := Td _ qL tq.
    by case: ifPn => [_ ->|/(P0 q qP) q0 h]; rewrite ?mulr0 // mulr_ge0_le0.
  by rewrite -[RHS](ev0 d) -sum0 ev_sum; apply: eq_bigr => q _; rewrite evZ.
by move=> /eqP; rewrite mulf_eq0 gt_eqF //= => /eqP.
Qed.

(* C6: hence it is an implicit equality of the polyhedron. *)
Corollary implicit_equalities_polyhedron P u : dependency P -> polyhedron u ->
  forall p, List.In p P -> ~~ equality p.1 -> 0 < p.2 -> ev (normal p.1) u = 0.
Proof. by move=> dep /polyhedron_tight_cone; apply: implicit_equalities. Qed.

(* P3 (5): if moreover only 0 is orthogonal to all the equalities and all the normals of positive multiplier (these
   normals have full column rank), then the tight cone is {0}. *)
Theorem trivial_by_positive_dependency P : dependency P ->
  (forall d, (forall c, List.In c L -> equality c -> ev (normal c) d = 0) ->
    (forall p, List.In p P -> 0 < p.2 -> ev (normal p.1) d = 0) -> d = 0) ->
  forall d, tight_cone d -> d = 0.
Proof.
move=> dep full d Td; have eqs c : List.In c L -> equality c -> ev (normal c) d = 0.
  by move=> cL eq_c; have := Td c cL; rewrite /tight eq_c; apply.
apply: full => // p pP p_gt0; case eq_p: (equality p.1).
  by apply: eqs => //; case: dep => /(_ p pP)[].
by apply: (implicit_equalities dep Td pP) => //; rewrite eq_p.
Qed.
End Polyhedron.
