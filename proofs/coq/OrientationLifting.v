(* The core of I12: a map f of R^n to itself that is affine on each cell of finitely many hyperplanes h_j x = 0, with determinants of one
   sign.  Where at most one hyperplane passes, f is one-to-one nearby and can be inverted along any direction; so a segment of values whose
   pre-images lie on at most one hyperplane each can be lifted from any pre-image of its start, and different lifts never meet. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Farkas OrientationGeneric.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Cells.
Variables (R : realFieldType) (n : nat) (I J : finType).
Variables (f : 'cV[R]_n -> 'cV[R]_n) (A : I -> 'M[R]_n) (c : I -> 'cV[R]_n) (g : J -> 'rV[R]_n) (e : J -> R).
Implicit Types (x y z p q v : 'cV[R]_n) (i : I) (j l : J).

Definition h j x := ev (g j) x + e j.
(* on no hyperplane; on at most one; on no other side of any hyperplane than q *)
Definition generic q := forall j, h j q != 0.
Definition single p := forall j l, h j p = 0 -> h l p = 0 -> j = l.
Definition cell q x := forall j, 0 <= h j q * h j x.
(* f is the map i on the cell of q *)
Definition piece q i := forall x, cell q x -> f x = A i *m x + c i.

Hypothesis g_neq0 : forall j, g j != 0.
Hypothesis orientation : forall i i', 0 < \det (A i) * \det (A i').
Hypothesis pieces : forall q, generic q -> exists i, piece q i.

Lemma A_unit i : A i \in unitmx.
Proof. by rewrite unitmxE unitfE; apply: contraTneq (orientation i i) => ->; rewrite mul0r ltxx. Qed.

(* the point that the map i sends to y *)
Definition solution i y := invmx (A i) *m y - invmx (A i) *m c i.

Lemma map_solution i y : A i *m solution i y + c i = y.
Proof. by rewrite mulmxBr !mulmxA mulmxV ?A_unit // !mul1mx subrK. Qed.
Lemma solution_map i x : solution i (A i *m x + c i) = x.
Proof. by rewrite /solution mulmxDr mulmxA mulVmx ?A_unit // mul1mx addrK. Qed.
Lemma solution_line i y s v : solution i (y + s *: v) = solution i y + s *: (invmx (A i) *m v).
Proof. by rewrite /solution mulmxDr -scalemxAr addrAC. Qed.
Lemma A_inj i x x' : A i *m x + c i = A i *m x' + c i -> x = x'.
Proof. by move=> eq; rewrite -[x](solution_map i) eq solution_map. Qed.

Lemma h_line j x s v : h j (x + s *: v) = h j x + s * ev (g j) v.
Proof. by rewrite /h evDr evZr addrAC. Qed.
Lemma affine_h j : affine (h j).
Proof. by apply: affine_add; [apply: affine_ev | apply: affine_constant]. Qed.
Lemma affine_h_solution i j : affine (fun y => h j (solution i y)).
Proof. exact/affine_after/affine_h. Qed.

Lemma h_somewhere j : exists w, h j w != 0.
Proof.
exists (((1 - e j) / ev (g j) (g j)^T) *: (g j)^T).
by rewrite /h evZr divfK ?subrK ?oner_neq0 //; apply: lt0r_neq0 (square_gt0 (g_neq0 j)).
Qed.

(* the points on the same strict sides as p, of the hyperplanes that do not pass through p *)
Definition around p x := forall j, h j p != 0 -> 0 < h j p * h j x.
Lemma open_around p : open_along_lines (around p).
Proof. by apply: open_all => j; apply/open_if/open_positive/affine_scale/affine_h. Qed.
Lemma around_self p : around p p.
Proof. by move=> j; apply: mul_self_gt0. Qed.
Lemma around_cell p x : around p x -> cell p x.
Proof. by move=> px j; case: (eqVneq (h j p) 0) => [->|/px/ltW //]; rewrite mul0r. Qed.
Lemma cellC q x : cell q x -> cell x q.
Proof. by move=> qx j; rewrite mulrC. Qed.
Lemma cell_self p : cell p p.
Proof. exact/around_cell/around_self. Qed.
Lemma cell_trans q x p : generic q -> cell q x -> cell q p -> cell p x.
Proof.
by move=> gq qx qp j; have := mulr_ge0 (qx j) (qp j); rewrite mulrACA pmulr_rge0 ?mul_self_gt0 // mulrC.
Qed.

(* Every point lies in a cell. *)
Lemma cell_of x : exists q i, [/\ generic q, cell q x & piece q i].
Proof.
have [j _|q xq gq] := @generic_point _ _ _ predT h _ x affine_h _ (@open_around x) (@around_self x); first exact: h_somewhere.
have [i qi] := pieces (fun j => gq j isT); exists q, i; split=> //; first by move=> j; apply: gq.
exact/cellC/around_cell.
Qed.

(* ---------- at a point on one hyperplane ---------- *)

(* the cell of q is one side of the hyperplane j that passes through p: the side where h_j has the sign of b *)
Definition side p j (b : R) q i := [/\ generic q, 0 < b * h j q, forall x, cell p x -> 0 <= b * h j x -> cell q x & piece q i].

(* Both sides are cells. *)
Lemma side_exists p j b : single p -> h j p = 0 -> b != 0 -> exists q i, side p j b q i.
Proof.
move=> sp pj b0; have b2 := mul_self_gt0 b0.
have [s s0 hs] := open_around (b *: (g j)^T) (@around_self p); pose q := p + s *: (b *: (g j)^T).
have pq : around p q by apply: hs; rewrite (ltW s0) lexx.
have qj : 0 < b * h j q by rewrite h_line pj add0r evZr mulrCA mulr_gt0 // mulrA mulr_gt0 // square_gt0.
have gq : generic q.
  move=> l; case: (eqVneq (h l p) 0) => [pl|/pq]; last by apply: contraTneq => ->; rewrite mulr0 ltxx.
  by rewrite -(sp j l pj pl); apply: contraTneq qj => ->; rewrite mulr0 ltxx.
have [i qi] := pieces gq; exists q, i; split=> // x px bx l.
case: (eqVneq (h l p) 0) => [pl|nz].
  have <- := sp j l pj pl; rewrite -(pmulr_rge0 _ b2) mulrACA; exact: mulr_ge0 (ltW qj) bx.
by rewrite -(pmulr_rge0 _ (mul_self_gt0 nz)) mulrACA; apply: mulr_ge0 (px l); apply/ltW/pq.
Qed.

(* The maps of both sides send points to the same one only if these lie on the same side of the hyperplane. *)
Lemma two_sides p j : single p -> h j p = 0 -> exists qp ip qm im rho, [/\ side p j 1 qp ip, side p j (-1) qm im, 0 < rho &
  forall d d', A ip *m d = A im *m d' -> ev (g j) d = rho * ev (g j) d'].
Proof.
move=> sp pj.
have [qp [ip sidep]] := side_exists sp pj (oner_neq0 R).
have [qm [im sidem]] : exists q i, side p j (-1) q i by apply: side_exists; rewrite ?oppr_eq0 ?oner_neq0.
have [_ _ hp pp] := sidep; have [_ _ hm pm] := sidem.
(* the two maps agree where both sides meet *)
have agree x : cell p x -> h j x = 0 -> A ip *m x + c ip = A im *m x + c im.
  by move=> px xj; rewrite -pp ?pm //; [apply: hm | apply: hp]; rewrite // xj mulr0.
have [d gd|rho rho0 hrho] := same_side (orientation ip im) (g_neq0 j); last by exists qp, ip, qm, im, rho.
have [s s0 hs] := open_around d (@around_self p).
have ps : cell p (p + s *: d) by apply/around_cell/hs; rewrite (ltW s0) lexx.
have := agree _ ps; rewrite h_line pj gd mulr0 addr0 => /(_ erefl).
rewrite !mulmxDr ![_ + _ + c _]addrAC (agree p (@cell_self p) pj) => /addrI.
by rewrite -!scalemxAr => /(scalerI (lt0r_neq0 s0)).
Qed.

(* f is one-to-one on the cells at a point on at most one hyperplane. *)
Lemma locally_injective p x x' : single p -> cell p x -> cell p x' -> f x = f x' -> x = x'.
Proof.
move=> sp px px' eq; case: (pickP (fun j => h j p == 0)) => [j /eqP pj|gp]; last first.
  have [i pi] : exists i, piece p i by apply: pieces => j; rewrite gp.
  by move: eq; rewrite !pi // => /A_inj.
have [qp [ip [qm [im [rho [[_ _ hp pp] [_ _ hm pm] rho0 same]]]]]] := two_sides sp pj.
have fp z : cell p z -> 0 <= h j z -> f z = A ip *m z + c ip by move=> pz zj; apply/pp/hp; rewrite ?mul1r.
have fm z : cell p z -> h j z <= 0 -> f z = A im *m z + c im by move=> pz zj; apply/pm/hm; rewrite ?mulN1r ?oppr_ge0.
(* two points with one value, on both sides of the hyperplane, lie on it *)
have cross z z' : cell p z -> cell p z' -> 0 <= h j z -> h j z' <= 0 -> f z = f z' -> z = z'.
  move=> pz pz' zj z'j; rewrite fp // fm // => ez.
  have ep : A ip *m p + c ip = A im *m p + c im by rewrite -fp -?fm ?pj //; apply: cell_self.
  have hd y : h j y = ev (g j) (y - p) by rewrite -[LHS]subr0 -pj /h opprD addrACA subrr addr0 -evNr -evDr.
  have e0 : h j z = rho * h j z'.
    rewrite !hd; apply: same; rewrite !mulmxBr; apply: (addIr (A ip *m p + c ip)); rewrite [in RHS]ep.
    by rewrite !addrA !subrK.
  have z0 : h j z = 0 by apply/eqP; rewrite eq_le zj andbT e0 pmulr_rle0.
  by apply: (@A_inj im); rewrite -ez -fp // fm // z0.
case: (lerP 0 (h j x)) => [xj|/ltW xj]; case: (lerP 0 (h j x')) => [x'j|/ltW x'j].
- by apply: (@A_inj ip); rewrite -!fp.
- exact: cross.
- exact/esym/cross.
- by apply: (@A_inj im); rewrite -!fm.
Qed.

(* From a point on at most one hyperplane, some map leads into its own cell: along the solutions for f x + s v, no h_l that is 0 at x
   leaves the side of the cell. *)
Lemma departure x v : single x -> exists q i,
  [/\ generic q, cell q x, piece q i & forall l, h l x = 0 -> 0 <= h l q * ev (g l) (invmx (A i) *m v)].
Proof.
move=> sx; case: (pickP (fun j => h j x == 0)) => [j /eqP xj|gx]; last first.
  have gx' : generic x by move=> j; rewrite gx.
  by have [i xi] := pieces gx'; exists x, i; split=> // [|l xl]; [apply: cell_self | have := gx' l; rewrite xl eqxx].
have [qp [ip [qm [im [rho [[gp qpj hp pp] [gm qmj hm pm] rho0 same]]]]]] := two_sides sx xj.
case: (lerP 0 (ev (g j) (invmx (A ip) *m v))) => d0; last first.
  exists qm, im; split=> //; first by apply: hm; rewrite ?xj ?mulr0 //; apply: cell_self.
  move=> l xl; rewrite -(sx j l xj xl) -mulrNN; move: qmj; rewrite mulN1r => qmj.
  rewrite pmulr_rge0 // oppr_ge0; move: d0; rewrite (same _ (invmx (A im) *m v)).
    by rewrite pmulr_rlt0 // => /ltW.
  by rewrite !mulmxA !mulmxV ?A_unit.
exists qp, ip; split=> //; first by apply: hp; rewrite ?xj ?mulr0 //; apply: cell_self.
by move=> l xl; rewrite -(sx j l xj xl); move: qpj; rewrite mul1r => qpj; rewrite pmulr_rge0.
Qed.

(* ---------- lifting a segment of values ---------- *)

Section Segment.
Variables (y0 v : 'cV[R]_n).
Definition y t := y0 + t *: v.
Hypothesis single_along : forall t x, f x = y t -> single x.

Lemma solution_y i t t' : solution i (y t') = solution i (y t) + (t' - t) *: (invmx (A i) *m v).
Proof. by rewrite -solution_line /y -addrA -scalerDl [t + _]addrC subrK. Qed.

(* From a time t to a time t' between which no map meets a new hyperplane. *)
Lemma lift_step t t' x : t < t' -> f x = y t ->
  (forall i j s, t < s < t' -> h j (solution i (y s)) = 0 -> h j (solution i (y t')) = 0) ->
  exists q i z, [/\ generic q, cell q x, cell q z, f z = y t' & z = x + (t' - t) *: (invmx (A i) *m v)].
Proof.
move=> tt' fx none; have [q [i [gq qx qi into]]] := departure v (single_along fx).
pose d := invmx (A i) *m v; pose z := x + (t' - t) *: d.
have ex : x = solution i (y t) by rewrite -fx qi // solution_map.
have ez : z = solution i (y t') by rewrite (solution_y i t t') -ex.
suff qz : cell q z by exists q, i, z; split=> //; rewrite qi // ez map_solution.
move=> j; rewrite leNgt; apply/negP => neg.
have xj : h j x != 0.
  apply: contraL neg => /eqP xj; rewrite -leNgt h_line xj add0r mulrCA; apply: mulr_ge0 (into j xj).
  by rewrite subr_ge0 ltW.
have a0 : 0 < h j q * h j x by rewrite lt_def qx mulf_neq0.
(* else h_j would be 0 between the two *)
pose a := h j q * h j x; pose b := h j q * ev (g j) d.
have ab : a + (t' - t) * b < 0 by move: neg; rewrite h_line mulrDr [h j q * (_ * _)]mulrCA.
have b0 : b < 0.
  rewrite ltNge; apply/negP => b0; move: ab; rewrite ltNge => /negP; apply.
  by rewrite addr_ge0 ?(ltW a0) // mulr_ge0 // subr_ge0 ltW.
pose s := - a / b; have s0 : 0 < s by rewrite /s mulNr -mulrN -invrN divr_gt0 // oppr_gt0.
have st : t < t + s < t'.
  rewrite ltr_addl s0 /= -ltr_subr_addl /s ltr_ndivr_mulr // -subr_gt0.
  by move: ab; rewrite -oppr_gt0 opprD.
have sj : h j (solution i (y (t + s))) = 0.
  apply/eqP; rewrite (solution_y i t) -ex [t + s]addrC addrK h_line.
  have : h j q * (h j x + s * ev (g j) d) == 0 by rewrite mulrDr mulrCA -/a -/b /s divfK ?subrr // ltr0_neq0.
  by rewrite mulf_eq0 (negPf (gq j)).
by move: neg; rewrite -/z ez (none _ _ _ st sj) mulr0 ltxx.
Qed.

(* No map meets a new hyperplane at a time between t and 1 that is not in T. *)
Definition breaks t (T : seq R) := forall i j s, t < s < 1 -> h j (solution i (y s)) = 0 ->
  s \in T \/ forall s', h j (solution i (y s')) = 0.

Lemma breaks_exist t : exists T, breaks t T.
Proof.
pose a ij := h ij.2 (solution ij.1 y0); pose b (ij : I * J) := ev (g ij.2) (invmx (A ij.1) *m v).
have e0 i j s : h j (solution i (y s)) = a (i, j) + s * b (i, j) by rewrite solution_line h_line.
exists [seq - a ij / b ij | ij <- enum {: I * J}] => i j s _; rewrite e0 => z.
case: (eqVneq (b (i, j)) 0) => b0.
  by right=> s'; rewrite e0 b0 mulr0; move: z; rewrite b0 mulr0.
left; apply/mapP; exists (i, j); first by rewrite mem_enum.
by apply: (canRL (mulfK b0)); rewrite -[LHS](addKr (a (i, j))) z addr0.
Qed.

(* the next time *)
Lemma next_time t (T : seq R) : t < 1 -> exists2 t', t < t' <= 1 & (forall s, t < s < t' -> s \notin T) /\ (t' = 1 \/ t' \in T).
Proof.
move=> t1; elim: T => [|a T [t' /andP[tt' t'1] [none ht']]]; first by exists 1; rewrite ?t1 ?lexx //; split; auto.
case: (boolP (t < a < t')) => [/andP[ta at']|out].
  exists a; first by rewrite ta (ltW (lt_le_trans at' t'1)).
  split=> [s /andP[ts sa]|]; last by right; rewrite mem_head.
  by rewrite inE negb_or lt_eqF // none // ts (lt_trans sa at').
exists t'; first by rewrite tt'.
split=> [s hs|]; last by case: ht' => [|ht']; [left | right; rewrite inE ht' orbT].
by rewrite inE negb_or none // andbT; apply: contra out => /eqP <-.
Qed.

(* A segment of values is lifted from pre-images x and x' of its value at time t to pre-images of its end; two that differ lead to two that
   differ.  If no map moves faster than k along a form a, neither does the lift. *)
Lemma lift_pair (a : 'rV[R]_n) k t x x' : (forall i, ev a (invmx (A i) *m v) <= k) -> t <= 1 -> f x = y t -> f x' = y t ->
  exists z z', [/\ f z = y 1, f z' = y 1, x != x' -> z != z' & ev a z <= ev a x + (1 - t) * k].
Proof.
move=> speed t1 fx fx'; have [T hT] := breaks_exist t.
have [m] := ubnP (size T); elim: m => // m IH in T t x x' t1 fx fx' hT * => sT.
move: t1; rewrite le_eqVlt => /orP[/eqP t1|t1].
  by exists x, x'; split; rewrite -?t1 // t1 subrr mul0r addr0.
have [t' /andP[tt' t'1] [none end']] := next_time T t1.
have new i j s : t < s < t' -> h j (solution i (y s)) = 0 -> h j (solution i (y t')) = 0.
  move=> hs z; have [|sT'|//] := hT i j s _ z; last by have := none s hs; rewrite sT'.
  by move: hs => /andP[-> st']; rewrite (lt_le_trans st').
have [q [i [z [gq qx qz fz ez]]]] := lift_step tt' fx new.
have [q' [i' [z' [gq' qx' qz' fz' _]]]] := lift_step tt' fx' new.
have differ : x != x' -> z != z'.
  apply: contra => /eqP zz'; apply/eqP/(locally_injective (single_along fz)); last by rewrite fx fx'.
    exact: cell_trans gq qx qz.
  by rewrite zz'; apply: cell_trans gq' qx' qz'.
have near : ev a z <= ev a x + (t' - t) * k by rewrite ez evDr evZr ler_add2l ler_wpmul2l // subr_ge0 ltW.
case: end' => [e1|t'T]; first by exists z, z'; split; rewrite -?e1.
have [|||||w [w' [fw fw' dw kw]]] := IH [seq s <- T | t' < s] t' z z' => //.
- move=> i0 j s /andP[t's s1] zs; have [|sT'|] := hT i0 j s _ zs; [by rewrite s1 (lt_trans tt') | left | by right].
  by rewrite mem_filter t's.
- rewrite ltnS in sT; apply: leq_trans sT; rewrite size_filter -(count_predC (fun s => t' < s) T) -addn1 leq_add2l -has_count.
  by apply/hasP; exists t' => //=; rewrite ltxx.
exists w, w'; split=> // [/differ/dw //|]; apply: le_trans kw _.
rewrite (_ : ev a x + (1 - t) * k = ev a x + (t' - t) * k + (1 - t') * k); first by rewrite ler_add2r.
by ring.
Qed.
End Segment.

Lemma line_end y z : y + 1 *: (z - y) = z.
Proof. by rewrite scale1r addrC subrK. Qed.

(* A segment of values, from the common value of x and x' to z, is lifted. *)
Lemma lift (a : 'rV[R]_n) k z x x' : (forall t p, f p = f x + t *: (z - f x) -> single p) ->
  (forall i, ev a (invmx (A i) *m (z - f x)) <= k) -> f x' = f x ->
  exists w w', [/\ f w = z, f w' = z, x != x' -> w != w' & ev a w <= ev a x + k].
Proof.
move=> single_along speed eq; have [||w [w' []]] := lift_pair (t := 0) (x := x) (x' := x') single_along speed ler01.
- by rewrite /y scale0r addr0.
- by rewrite /y scale0r addr0.
by rewrite /y line_end subr0 mul1r => fw fw' differ bound; exists w, w'.
Qed.

(* ---------- values in general position ---------- *)

(* different hyperplanes: each has a point that is not on the other *)
Hypothesis apart : forall j l, j != l -> exists2 w, h j w = 0 & h l w != 0.

(* h_j at the solution of the map i; and a function that is 0 at y where h_j and h_l vanish together on the line from y to z *)
Definition pullback ij y := h ij.2 (solution ij.1 y).
Definition apart_seen_from z (k : I * J * J) y := pullback k.1 z * pullback (k.1.1, k.2) y - pullback (k.1.1, k.2) z * pullback k.1 y.

Lemma affine_pullback ij : affine (pullback ij).
Proof. exact: affine_h_solution. Qed.
Lemma affine_apart z k : affine (apart_seen_from z k).
Proof. by apply: affine_add; last apply: affine_opp; apply: affine_scale; apply: affine_pullback. Qed.
Lemma pullback_somewhere ij : exists w, pullback ij w != 0.
Proof. by have [w hw] := h_somewhere ij.2; exists (A ij.1 *m w + c ij.1); rewrite /pullback solution_map. Qed.
Lemma apart_somewhere z k : (forall ij, pullback ij z != 0) -> k.1.2 != k.2 -> exists w, apart_seen_from z k w != 0.
Proof.
move=> nz /apart[w wj wl]; exists (A k.1.1 *m w + c k.1.1).
by rewrite /apart_seen_from /pullback /= !solution_map wj mulr0 subr0 mulf_neq0 ?nz.
Qed.

(* So the line from y to z is in general position if none of these functions is 0: every pre-image of a value on it lies on at most one
   hyperplane. *)
Lemma single_between y z : (forall ij, pullback ij z != 0) -> (forall k : I * J * J, k.1.2 != k.2 -> apart_seen_from z k y != 0) ->
  forall t x, f x = y + t *: (z - y) -> single x.
Proof.
move=> nz ap t x fx j l xj xl; apply/eqP/negPn/negP => /(ap ((_, j), l)) => {}ap.
have [q [i [_ qx qi]]] := cell_of x.
have ex : x = solution i (y + t *: (z - y)) by rewrite -fx qi // solution_map.
have along j' : h j' x = (1 - t) * pullback (i, j') y + t * pullback (i, j') z.
  rewrite ex -/(pullback (i, j') _) affine_pullback (_ : y + (z - y) = z); last by rewrite addrC subrK.
  by ring.
rewrite !along in xj xl.
have t1 : (1 - t) * apart_seen_from z ((i, j), l) y = 0.
  have <- : pullback (i, j) z * ((1 - t) * pullback (i, l) y + t * pullback (i, l) z)
      - pullback (i, l) z * ((1 - t) * pullback (i, j) y + t * pullback (i, j) z) = 0 by rewrite xj xl !mulr0 subrr.
  by rewrite /apart_seen_from /=; ring.
move/eqP: t1; rewrite mulf_eq0 (negPf (ap i)) orbF subr_eq0 => /eqP t1.
by move/eqP: xj; rewrite -t1 subrr mul0r add0r mul1r (negPf (nz _)).
Qed.
End Cells.
