(* What the proof of I12 needs of a vector space over an ordered field, without topology: sets that are open along lines, points of them
   at which finitely many affine functions do not vanish, and how the determinants of two maps that agree on a hyperplane compare. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Farkas.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Lemma mul_self_gt0 (R : realFieldType) (a : R) : a != 0 -> 0 < a * a.
Proof. by move=> a0; rewrite -expr2 lt_def sqrf_eq0 a0 sqr_ge0. Qed.

Section Open.
Variables (R : realFieldType) (n : nat).
Implicit Types (x d w : 'cV[R]_n) (U V : 'cV[R]_n -> Prop) (phi : 'cV[R]_n -> R).

(* along every line through x, phi is of the form a + b s *)
Definition affine phi := forall x d s, phi (x + s *: d) = phi x + s * (phi (x + d) - phi x).
(* from a point of U, a short step in any direction stays in U *)
Definition open_along_lines U := forall x d, U x -> exists2 e, 0 < e & forall s, 0 <= s <= e -> U (x + s *: d).

Lemma affine_constant k : affine (fun=> k).
Proof. by move=> x d s; rewrite subrr mulr0 addr0. Qed.
Lemma affine_add phi psi : affine phi -> affine psi -> affine (fun x => phi x + psi x).
Proof. by move=> h h' x d s; rewrite h h'; ring. Qed.
Lemma affine_opp phi : affine phi -> affine (fun x => - phi x).
Proof. by move=> h x d s; rewrite h; ring. Qed.
Lemma affine_scale k phi : affine phi -> affine (fun x => k * phi x).
Proof. by move=> h x d s; rewrite h mulrDr mulrCA -mulrBr. Qed.
Lemma affine_ev (g : 'rV[R]_n) : affine (ev g).
Proof. by move=> x d s; rewrite !evDr evZr addrAC subrr add0r. Qed.

(* Where an affine function is positive is open along lines. *)
Lemma open_positive phi : affine phi -> open_along_lines (fun x => 0 < phi x).
Proof.
move=> h x d p; pose b := `|phi (x + d) - phi x|.
have b0 : 0 < 1 + b by rewrite ltr_paddr ?normr_ge0 ?ltr01.
exists (phi x / (1 + b)); first by rewrite divr_gt0.
move=> s /andP[s0 hs]; rewrite h; move: hs; rewrite ler_pdivl_mulr // mulrDr mulr1 => hs.
have := ler_norm (- (phi (x + d) - phi x)); rewrite normrN -/b => /(ler_wpmul2l s0).
rewrite mulrN -subr_ge0 opprK => hb.
move: s0; rewrite le_eqVlt => /orP[/eqP <-|s0]; first by rewrite mul0r addr0.
rewrite -subr_ge0 in hs; apply: (@lt_le_trans _ _ s) => //; rewrite -subr_ge0.
by have := addr_ge0 hs hb; congr (0 <= _); ring.
Qed.

(* intersections *)
Lemma open_and U V : open_along_lines U -> open_along_lines V -> open_along_lines (fun x => U x /\ V x).
Proof.
move=> hU hV x d [/(hU x d)[e e0 he] /(hV x d)[e' e'0 he']].
exists (Num.min e e'); first by rewrite lt_minr e0.
by move=> s /andP[s0]; rewrite le_minr => /andP[hs hs']; split; [apply: he | apply: he']; rewrite s0.
Qed.

Lemma open_if (b : bool) U : open_along_lines U -> open_along_lines (fun x => b -> U x).
Proof.
case: b => hU x d h; last by exists 1; rewrite ?ltr01.
by have [e e0 he] := hU x d (h isT); exists e => // s hs _; apply: he.
Qed.

Lemma open_all (K : finType) (P : K -> 'cV[R]_n -> Prop) :
  (forall k, open_along_lines (P k)) -> open_along_lines (fun x => forall k, P k x).
Proof.
move=> h x d Px; suff [e e0 he] : exists2 e, 0 < e & forall k, k \in enum K -> forall s, 0 <= s <= e -> P k (x + s *: d).
  by exists e => // s hs k; apply: he; rewrite ?mem_enum.
elim: (enum K) => [|k ks [e e0 he]]; first by exists 1; rewrite ?ltr01.
have [e' e'0 he'] := h k x d (Px k).
exists (Num.min e e'); first by rewrite lt_minr e0.
move=> j; rewrite inE => hj s /andP[s0]; rewrite le_minr => /andP[hs hs'].
by case/orP: hj => [/eqP->|hj]; [apply: he' | apply: he]; rewrite ?s0.
Qed.

(* Where a point of an open set is, there is one at which finitely many affine functions, none of them zero everywhere, do not vanish. *)
Lemma generic_point (K : finType) (P : pred K) (phi : K -> 'cV[R]_n -> R) U x :
  (forall k, affine (phi k)) -> (forall k, P k -> exists w, phi k w != 0) -> open_along_lines U -> U x ->
  exists2 z, U z & forall k, P k -> phi k z != 0.
Proof.
move=> aff hP hU Ux; suff [z Uz hz] : exists2 z, U z & forall k, k \in enum P -> phi k z != 0.
  by exists z => // k Pk; apply: hz; rewrite mem_enum.
have: {subset enum P <= P} by move=> k; rewrite mem_enum.
elim: (enum P) => [|k ks IH] sub; first by exists x.
have [|z Uz hz] := IH; first by move=> j hj; apply: sub; rewrite inE hj orbT.
case: (boolP (phi k z == 0)) => [/eqP z0|nz]; last by exists z => // j; rewrite inE => /orP[/eqP->|/hz].
have [w hw] := hP k (sub k (mem_head _ _)).
(* a short step from z towards w: the other functions keep their signs *)
have hV : open_along_lines (fun y => forall j, j \in ks -> 0 < phi j z * phi j y).
  by apply: open_all => j; apply/open_if/open_positive/affine_scale.
have [|e e0 he] := open_and hU hV (w - z) (conj Uz _); first by move=> j /hz; apply: mul_self_gt0.
have [Uy hy] := he e (introT andP (conj (ltW e0) (lexx e))).
exists (z + e *: (w - z)) => // j; rewrite inE => /orP[/eqP->|/hy p].
  by rewrite aff z0 add0r subr0 addrC subrK mulf_neq0 // gt_eqF.
by apply: contraTneq p => ->; rewrite mulr0 ltxx.
Qed.
End Open.

Section Maps.
Variables (R : realFieldType) (n : nat).

Lemma square_gt0 (g : 'rV[R]_n) : g != 0 -> 0 < ev g g^T.
Proof.
move=> g0; rewrite /ev mxE; under eq_bigr do rewrite mxE -expr2.
rewrite lt_def sumr_ge0 ?andbT => [|k _]; last exact: sqr_ge0.
rewrite psumr_eq0 => [|k _]; last exact: sqr_ge0.
apply: contra g0 => /allP z; apply/eqP/rowP => k; rewrite mxE.
by have := z k (mem_index_enum k); rewrite sqrf_eq0 => /eqP.
Qed.

(* an affine function after an affine map *)
Lemma affine_after phi (M : 'M[R]_n) (c : 'cV[R]_n) : affine phi -> affine (fun x => phi (M *m x + c)).
Proof. by move=> h x d s; rewrite !mulmxDr -scalemxAr !(addrAC _ _ c) h. Qed.

Lemma affine_displacement (k : 'rV[R]_n) (M N : 'M[R]_n) (c u : 'cV[R]_n) : affine (fun x => ev k (M *m (N *m x + c - u))).
Proof.
have expand x : M *m (N *m x + c - u) = M *m N *m x + M *m (c - u) by rewrite -addrA mulmxDr mulmxA.
by move=> x d s; rewrite !expand; apply/affine_after/affine_ev.
Qed.

(* an open set under an affine map *)
Lemma open_after U (M : 'M[R]_n) (c : 'cV[R]_n) : open_along_lines U -> open_along_lines (fun x => U (M *m x + c)).
Proof.
move=> h x d /(h _ (M *m d))[e e0 he]; exists e => // s hs.
by rewrite mulmxDr -scalemxAr addrAC; apply: he.
Qed.

(* det (A + u g) = det A (1 + g A^-1 u) for a column u and a row g: the matrix determinant lemma *)
Lemma det_add_rank_one (A : 'M[R]_n) (u : 'cV[R]_n) (g : 'rV[R]_n) : A \in unitmx ->
  \det (A + u *m g) = \det A * (1 + ev g (invmx A *m u)).
Proof.
move=> uA; set k := g *m (invmx A *m u); pose M := block_mx (1%:M : 'M_1) (- g) u A.
have e1 : M = block_mx 1%:M 0 u 1%:M *m block_mx 1%:M (- g) 0 (A + u *m g).
  by rewrite mulmx_block !(mul1mx, mulmx1, mul0mx, mulmx0, add0r, addr0) mulmxN [- _ + _]addrC addrK.
have e2 : M = block_mx (1%:M + k) (- g) 0 A *m block_mx 1%:M 0 (invmx A *m u) 1%:M.
  rewrite mulmx_block !(mul1mx, mulmx1, mul0mx, mulmx0, add0r, addr0) mulNmx -addrA subrr addr0.
  by rewrite mulmxA mulmxV // mul1mx.
have := congr1 determinant e2; rewrite {1}e1 !det_mulmx !det_lblock !det_ublock !det1 !(mul1r, mulr1) => ->.
by rewrite [in LHS]det_mx11 mxE mxE mulrC /ev.
Qed.

Lemma matrix_eq (M N : 'M[R]_n) : (forall d : 'cV[R]_n, M *m d = N *m d) -> M = N.
Proof. by move=> h; apply/matrixP => i j; have := congr1 (fun v : 'cV_n => v i 0) (h (delta_mx j 0)); rewrite -!colE !mxE. Qed.

(* Two maps A and B with determinants of one sign that agree on a hyperplane g d = 0: the points that they send to the same one lie on the
   same side of it. *)
Lemma same_side (A B : 'M[R]_n) (g : 'rV[R]_n) : 0 < \det A * \det B -> g != 0 ->
  (forall d, ev g d = 0 -> A *m d = B *m d) ->
  exists2 rho : R, 0 < rho & forall d d', A *m d = B *m d' -> ev g d = rho * ev g d'.
Proof.
move=> dets g0 agree.
have dA : \det A != 0 by apply: contraTneq dets => ->; rewrite mul0r ltxx.
have uA : A \in unitmx by rewrite unitmxE unitfE.
have gg0 : ev g g^T != 0 by apply: lt0r_neq0 (square_gt0 g0).
(* B - A vanishes on the hyperplane, so it is u g *)
pose u := (ev g g^T)^-1 *: ((B - A) *m g^T).
have ug (d : 'cV[R]_n) : u *m g *m d = ev g d *: u.
  by rewrite -mulmxA (mx11_scalar (g *m d)) mul_mx_scalar.
have eB : B = A + u *m g.
  apply: matrix_eq => d; rewrite mulmxDl ug.
  pose k := ev g d / ev g g^T.
  have : A *m (d - k *: g^T) = B *m (d - k *: g^T) by apply: agree; rewrite evDr evNr evZr divfK // subrr.
  rewrite !mulmxBr -!scalemxAr => e.
  by rewrite /u scalerA -/k mulmxBl scalerBr -[LHS](subrK (k *: (B *m g^T))) -e addrAC addrA.
exists (1 + ev g (invmx A *m u)).
  by move: dets; rewrite eB det_add_rank_one // mulrA pmulr_rgt0 // mul_self_gt0.
move=> d d' e; have -> : d = invmx A *m (B *m d') by rewrite -e mulmxA mulVmx // mul1mx.
by rewrite eB mulmxDl ug mulmxDr mulmxA mulVmx // mul1mx -scalemxAr evDr evZr mulrDl mul1r mulrC.
Qed.
End Maps.
