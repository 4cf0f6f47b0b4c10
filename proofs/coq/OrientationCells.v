(* I12 for maps that are affine on the cells of finitely many hyperplanes: if the determinants have one sign and the value at one point,
   near which f is one affine map, is taken at no other point, then f is injective.  Two points a, b with one value would give, by lifting
   segments of values in general position, two points with one value y1 near a and b, and then two with one value near f x0. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Farkas OrientationGeneric OrientationLifting.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Injective.
Variables (R : realFieldType) (n : nat) (I J : finType).
Variables (f : 'cV[R]_n -> 'cV[R]_n) (A : I -> 'M[R]_n) (c : I -> 'cV[R]_n) (g : J -> 'rV[R]_n) (e : J -> R).
Implicit Types (x y z p q v : 'cV[R]_n) (i : I) (j l : J).
Notation h := (h g e).
Notation generic := (generic g e).
Notation cell := (cell g e).
Notation single := (single g e).
Notation piece := (piece f A c g e).
Notation solution := (solution A c).
Notation pullback := (pullback A c g e).
Notation apart_seen_from := (apart_seen_from A c g e).

Hypothesis g_neq0 : forall j, g j != 0.
Hypothesis orientation : forall i i', 0 < \det (A i) * \det (A i').
Hypothesis pieces : forall q, generic q -> exists i, piece q i.
Hypothesis apart : forall j l, j != l -> exists2 w, h j w = 0 & h l w != 0.

(* Near every point x, there is one whose value is in general position. *)
Lemma near_value x (K : finType) (P : pred K) (phi : K -> 'cV[R]_n -> R) (V : 'cV[R]_n -> 'cV[R]_n -> Prop) :
  (forall k, affine (phi k)) -> (forall k, P k -> exists w, phi k w != 0) ->
  (forall i, open_along_lines (fun z => V z (A i *m z + c i))) -> V x (f x) ->
  exists2 z, V z (f z) & forall k, P k -> phi k (f z) != 0.
Proof.
move=> aff somewhere hV Vx; have [q [i [gq qx qi]]] := cell_of g_neq0 pieces x.
have [s s0 hs] := hV i x (q - x) (eq_ind _ (V x) Vx _ (qi x qx)).
(* a point inside the cell of q *)
pose r := Num.min s 1; pose x1 := x + r *: (q - x).
have r0 : 0 < r by rewrite lt_minr s0 ltr01.
have Vx1 : V x1 (A i *m x1 + c i) by apply: hs; rewrite (ltW r0) le_minl lexx.
have in1 : around g e q x1.
  move=> j _; rewrite h_line evDr evNr (_ : ev _ q - _ = h j q - h j x); last by rewrite /OrientationLifting.h; ring.
  rewrite (_ : _ * _ = (1 - r) * (h j q * h j x) + r * (h j q * h j q)); last by ring.
  apply: ltr_paddl; first by apply: mulr_ge0 (qx j); rewrite subr_ge0 le_minl lexx orbT.
  by rewrite mulr_gt0 ?mul_self_gt0.
pose U z := around g e q z /\ V z (A i *m z + c i).
have hU : open_along_lines U by apply: open_and; [apply: open_around | apply: hV].
have [||z [in_z Vz] nz] := @generic_point _ _ K P (fun k z => phi k (A i *m z + c i)) U x1 _ _ hU (conj in1 Vx1).
- by move=> k; apply: affine_after.
- move=> k /somewhere[w hw]; exists (solution i w).
  by rewrite (map_solution _ orientation).
have fz : f z = A i *m z + c i by apply/qi/around_cell.
by exists z; rewrite fz.
Qed.

(* Near x0, f is the map i0; and no other point has the value at x0. *)
Variables (x0 : 'cV[R]_n) (i0 : I) (U0 : 'cV[R]_n -> Prop).
Hypothesis U0_open : open_along_lines U0.
Hypothesis U0_x0 : U0 x0.
Hypothesis f_U0 : forall z, U0 z -> f z = A i0 *m z + c i0.
Hypothesis only_x0 : forall x, f x = f x0 -> x = x0.

(* the values near f x0: their pre-images are near x0 *)
Definition near_value_of_x0 y := (forall ij, pullback ij (f x0) != 0 -> 0 < pullback ij (f x0) * pullback ij y) /\
  forall i, solution i (f x0) == x0 -> U0 (solution i y).

Lemma preimage_near_x0 z : near_value_of_x0 (f z) -> U0 z.
Proof.
move=> [signs nearby]; have [q [i [gq qz qi]]] := cell_of g_neq0 pieces z.
have ez : solution i (f z) = z by rewrite qi // (solution_map _ orientation).
have qp : cell q (solution i (f x0)).
  move=> j; rewrite leNgt; apply/negP => neg.
  have nz : pullback (i, j) (f x0) != 0 by apply: contraTneq neg; rewrite /OrientationLifting.pullback /= => ->; rewrite mulr0 ltxx.
  have : 0 < h j q * h j q * (pullback (i, j) (f x0) * pullback (i, j) (f z)).
    by rewrite mulr_gt0 ?signs ?mul_self_gt0.
  by rewrite mulrACA /OrientationLifting.pullback /= ez ltNge mulr_le0_ge0 // ltW.
have fp : f (solution i (f x0)) = f x0 by rewrite qi // (map_solution _ orientation).
by rewrite -ez; apply: nearby; rewrite (only_x0 fp).
Qed.

(* I12 on cells: f is injective. *)
Theorem orientation_injective_on_cells : injective f.
Proof.
move=> a b fab; apply/eqP/negPn/negP => ab.
(* a form k that separates a from b: k a > mu > k b *)
have [k kab] : exists k, ev k b < ev k a.
  by exists (a - b)^T; rewrite -subr_gt0 -evNr -evDr -[X in ev _ X]trmxK square_gt0 // trmx_eq0 subr_eq0.
have [mu amu bmu] : exists2 mu, 0 < ev k a - mu & 0 < mu - ev k b.
  by exists ((ev k a + ev k b) / 2%:R); rewrite subr_gt0 (ltr_pdivr_mulr, ltr_pdivl_mulr) ?ltr0n // mulr_natr mulr2n (ltr_add2l, ltr_add2r).
(* a1 near a, with a value in general position, to which no map can lift f b from b beyond mu *)
pose V1 z y := 0 < ev k z - mu /\ forall i, 0 < mu - ev k b - ev k (invmx (A i) *m (y - f b)).
have V1a : V1 a (f a) by split=> // i; rewrite fab subrr mulmx0 ev0r subr0.
have [||a1 [a1mu b_mu] nz] := @near_value a _ predT pullback V1 (affine_pullback _ _ _ _) _ _ V1a.
- by move=> ij _; apply: pullback_somewhere.
- move=> i; apply: open_and.
    by apply/open_positive/affine_add; [apply: affine_ev | apply: affine_constant].
  apply: open_all => i'; apply/open_positive/affine_add; first exact: affine_constant.
  exact/affine_opp/affine_displacement.
have {}nz ij : pullback ij (f a1) != 0 by apply: nz.
(* b0 near b, with the segment from its value to f a1 in general position: its lift from b0 ends in b1, k b1 <= mu *)
pose V2 z y := forall i, 0 < mu - ev k z + ev k (invmx (A i) *m (y - f a1)).
pose P (t : I * J * J) := t.1.2 != t.2.
have [|||b0 b0mu ap] := @near_value b _ P (apart_seen_from (f a1)) V2 (affine_apart _ _ _ _ _) _ _ _.
- by move=> t; apply: apart_somewhere.
- move=> i; apply: open_all => i'; apply/open_positive/affine_add; last exact: affine_displacement.
  by apply: affine_add; [apply: affine_constant | apply/affine_opp/affine_ev].
- by move=> i; have := b_mu i; rewrite -(opprB (f b)) mulmxN evNr opprK.
have sb := single_between g_neq0 orientation pieces nz ap.
have [|b1 [_ [fb1 _ _ b1mu]]] := lift (a := k) (k := mu - ev k b0) (x' := b0) g_neq0 orientation pieces sb _ erefl.
  by move=> i; rewrite -(opprB (f b0)) mulmxN evNr -subr_ge0 opprK ltW // b0mu.
have ab1 : a1 != b1 by apply: contraTneq b1mu => <-; rewrite addrC subrK -ltNge -subr_gt0.
(* a1 and b1 have one value; lifts from both to a value near f x0 end in two points near x0, where f is one-to-one *)
have U2 : open_along_lines near_value_of_x0.
  apply: open_and; first by apply: open_all => ij; apply/open_if/open_positive/affine_scale/affine_pullback.
  by apply: open_all => i; apply/open_if/open_after.
have [||y near_x0 ap2] := @generic_point _ _ _ P (apart_seen_from (f a1)) near_value_of_x0 (f x0) (affine_apart _ _ _ _ _) _ U2.
- by move=> t; apply: apart_somewhere.
- by split=> [ij|i /eqP ->//]; apply: mul_self_gt0.
have sy t p : f p = f a1 + t *: (y - f a1) -> single p.
  move=> fp; apply: (single_between g_neq0 orientation pieces nz ap2 (t := 1 - t)).
  by rewrite fp scalerBl scale1r -scalerN opprB addrA [y + (_ - y)]addrC subrK.
have [|z [z' [fz fz' /(_ ab1) zz' _]]] := lift (a := 0) (k := 0) g_neq0 orientation pieces sy _ fb1.
  by move=> i; rewrite ev0.
case/eqP: zz'; apply: (A_inj (i := i0) (c := c) orientation).
by rewrite -!f_U0 ?fz //; apply: preimage_near_x0; rewrite ?fz ?fz'.
Qed.
End Injective.
