(* I12: a map f of R^n to itself that is affine on each of finitely many closed convex polyhedra, which cover R^n, is injective if the
   determinants of its maps are all positive or all negative and the value at one point inside a region is taken at no other point.
   Nothing else is asked: regions may overlap or have no interior points, rows may repeat, n may be 0 or 1. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Farkas OrientationGeneric OrientationLifting OrientationCells.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Forms.
Variables (R : realFieldType) (n : nat).
Implicit Types (x w : 'cV[R]_n) (r : 'rV[R]_n * R).

(* a form x |-> a x + b *)
Definition form := ('rV[R]_n * R)%type.
Definition value r x := ev r.1 x + r.2.

Lemma affine_value r : affine (value r).
Proof. by apply: affine_add; [apply: affine_ev | apply: affine_constant]. Qed.

(* r' is a multiple of r, if of any then by this factor *)
Definition factor r r' := ev r'.1 r.1^T / ev r.1 r.1^T.
Definition multiple r r' := r' == (factor r r' *: r.1, factor r r' * r.2).

Lemma multiple_value r r' x : multiple r r' -> value r' x = factor r r' * value r x.
Proof. by rewrite /value => /eqP {1 2}-> /=; rewrite evZ mulrDr. Qed.
Lemma factor_neq0 r r' : r'.1 != 0 -> multiple r r' -> factor r r' != 0.
Proof. by move=> r'0 m; apply: contraNneq r'0 => k0; rewrite (eqP m) k0 scale0r. Qed.

(* Where r' is no multiple of r, it does not vanish on the whole hyperplane of r. *)
Lemma not_multiple_apart r r' : r.1 != 0 -> ~~ multiple r r' -> exists2 w, value r w = 0 & value r' w != 0.
Proof.
move=> r0 m; have rr : ev r.1 r.1^T != 0 by apply: lt0r_neq0 (square_gt0 r0).
pose k := factor r r'; pose w := - (r.2 / ev r.1 r.1^T) *: r.1^T; pose d := r'.1 - k *: r.1.
have w0 : value r w = 0 by rewrite /value evZr mulNr divfK // addNr.
have [r'w|] := eqVneq (value r' w) 0; last by exists w.
(* a step from w orthogonal to r *)
have sym (a b : 'rV[R]_n) : ev a b^T = ev b a^T by rewrite /ev -{1}[a]trmxK -trmx_mul mxE.
have rd : ev r.1 d^T = 0 by rewrite sym evD evN evZ /k /factor divfK // subrr.
have r'd : ev r'.1 d^T = ev d d^T by rewrite {2}/d evD evN evZ rd mulr0 subr0.
have [d0|d0] := eqVneq d 0; last first.
  exists (w + d^T); rewrite /value evDr addrAC; first by rewrite rd addr0.
  by rewrite -/(value r' w) r'w add0r r'd lt0r_neq0 ?square_gt0.
case/negP: m; rewrite /multiple -/k; have e1 : r'.1 = k *: r.1 by apply/eqP; rewrite -subr_eq0 -/d d0.
apply/eqP; rewrite [LHS]surjective_pairing e1; congr pair.
move: r'w; rewrite /value e1 evZ; move/eqP: w0; rewrite /value addr_eq0 => /eqP ->.
by rewrite mulrN addrC => /eqP; rewrite subr_eq0 => /eqP.
Qed.

(* Of finitely many forms, some that are not constant and no multiples of each other represent all that are not constant. *)
Lemma representatives (s : seq form) : exists t : seq form, [/\ forall r, r \in t -> r.1 != 0,
  forall r r', r \in t -> r' \in t -> r != r' -> exists2 w, value r w = 0 & value r' w != 0 &
  forall r, r \in s -> r.1 != 0 -> exists2 r', r' \in t & exists2 k, k != 0 & forall x, value r x = k * value r' x].
Proof.
elim: s => [|r s [t [t0 ap rep]]]; first by exists [::].
have [r0|r0] := eqVneq r.1 0.
  by exists t; split=> // r'; rewrite inE => /orP[/eqP->|/rep //]; rewrite r0 eqxx.
case: (boolP (has (fun r' => multiple r' r || multiple r r') t)) => [/hasP[r' r't m]|/hasPn none].
  exists t; split=> // r''; rewrite inE => /orP[/eqP-> _|/rep //]; exists r' => //.
  case/orP: m => m; first by exists (factor r' r); [apply: factor_neq0 | move=> x; apply: multiple_value].
  have k0 := factor_neq0 (t0 _ r't) m.
  by exists (factor r r')^-1; rewrite ?invr_eq0 // => x; rewrite (multiple_value x m) mulKf.
exists (r :: t); split.
- by move=> r'; rewrite inE => /orP[/eqP->|/t0].
- move=> a b; rewrite !inE => /orP[/eqP->|at_] /orP[/eqP->|bt] ab; rewrite ?eqxx // in ab *; last exact: ap.
    by apply: not_multiple_apart => //; have := none b bt; rewrite negb_or => /andP[].
  by apply: not_multiple_apart; [apply: t0 | have := none a at_; rewrite negb_or => /andP[]].
move=> r'; rewrite inE => /orP[/eqP-> _|/rep h /h[r'' r''t k]]; last by exists r''; rewrite // inE r''t orbT.
by exists r; rewrite ?mem_head //; exists 1; rewrite ?oner_neq0 // => x; rewrite mul1r.
Qed.
End Forms.

Section Regions.
Variables (R : realFieldType) (n : nat) (I : finType) (f : 'cV[R]_n -> 'cV[R]_n).
Variables (rows : I -> seq (form R n)) (A : I -> 'M[R]_n) (c : I -> 'cV[R]_n).
Implicit Types (x z : 'cV[R]_n) (i : I).

(* The region i is the polyhedron where no row is negative. *)
Definition region i x := forall r, r \in rows i -> 0 <= value r x.

Hypothesis cover : forall x, exists i, region i x.
Hypothesis f_region : forall i x, region i x -> f x = A i *m x + c i.
Hypothesis orientation : (forall i, 0 < \det (A i)) \/ (forall i, \det (A i) < 0).

(* I12, where a set that is open along lines lies in a region and holds x0. *)
Lemma injective_of_open_set (U0 : 'cV[R]_n -> Prop) i0 x0 : open_along_lines U0 -> U0 x0 -> (forall z, U0 z -> region i0 z) ->
  (forall i x, region i x -> A i *m x + c i = f x0 -> x = x0) -> injective f.
Proof.
move=> U0_open U0_x0 U0_region only.
have [t [t0 ap rep]] := representatives (flatten [seq rows i | i <- enum I]).
pose J := [finType of seq_sub t].
apply: (@orientation_injective_on_cells R n I J f A c (fun j => (val j).1) (fun j => (val j).2) _ _ _ _ x0 i0 U0) => //.
- by move=> j; apply: t0 (valP j).
- by move=> i i'; case: orientation => pos; [apply: mulr_gt0 | rewrite -mulrNN mulr_gt0 // oppr_gt0].
- move=> q gq; have [i qi] := cover q; exists i => x qx; apply: f_region => r ri.
  have [r0|r0] := eqVneq r.1 0; first by have := qi r ri; rewrite /value r0 !ev0.
  have [|r' r't [k k0 rk]] := rep r _ r0; first by apply/flattenP; exists (rows i); rewrite ?map_f ?mem_enum.
  (* the row is a multiple of a hyperplane of which x is on the side of q *)
  have := qx (SeqSub r't); have := gq (SeqSub r't); rewrite /h /= -!/(value r' _) => nz; move: (qi r ri); rewrite !rk => qk.
  have kq : 0 < k * value r' q by rewrite lt_def mulf_neq0.
  by rewrite -(pmulr_rge0 _ (mul_self_gt0 k0)) mulrACA pmulr_rge0.
- by move=> j l jl; apply: ap (valP j) (valP l) jl.
- by move=> z /U0_region/f_region.
- by move=> x; have [i xi] := cover x; rewrite {1}(f_region xi) => /(only i x xi).
Qed.

(* I12.  x0 lies inside the region i0: its rows are positive there; and whatever solution x a map has for the value at x0, it is x0 or not
   in the region of the map.  Then f is injective. *)
Theorem orientation_injective i0 x0 : (forall r, r \in rows i0 -> 0 < value r x0) ->
  (forall i x, region i x -> A i *m x + c i = f x0 -> x = x0) -> injective f.
Proof.
move=> inside; apply: (@injective_of_open_set (fun z => forall j : seq_sub (rows i0), 0 < value (val j) z) i0).
- by apply: open_all => j; apply/open_positive/affine_value.
- by move=> j; apply: inside (valP j).
- by move=> z hz r ri; apply: ltW (hz (SeqSub ri)).
Qed.

(* I12, where a box around x0 lies in the region i0, whatever its rows are. *)
Theorem orientation_injective_in_box i0 x0 e : 0 < e -> (forall z, (forall k, `|z k 0 - x0 k 0| < e) -> region i0 z) ->
  (forall i x, region i x -> A i *m x + c i = f x0 -> x = x0) -> injective f.
Proof.
move=> e0 box; apply: (@injective_of_open_set (fun z => forall k, 0 < e - (z k 0 - x0 k 0) /\ 0 < e + (z k 0 - x0 k 0)) i0).
- have entry k : affine (fun z : 'cV_n => z k 0 - x0 k 0).
    by apply: affine_add; last apply: affine_constant; move=> x d s; rewrite !mxE addrAC subrr add0r.
  apply: open_all => k; apply: open_and; apply/open_positive/affine_add; try exact: affine_constant; last exact: entry.
  exact/affine_opp/entry.
- by move=> k; rewrite subrr subr0 addr0.
- by move=> z hz; apply: box => k; have [h1 h2] := hz k; rewrite ltr_norml -subr_gt0 opprK addrC h2 -subr_gt0.
Qed.
End Regions.
