(* Where several layers, one after the other, are affine: between two inputs at which no rectified row has values of opposite signs
   (so for one layer if their outputs are the same, I1), and along a direction in which no rectified row changes its sign.  A set
   that contains a segment is infinite, and one that contains a ray is not bounded (P2). *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Integers ListFacts Claims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section AffinePieces.
Variable R : realFieldType.
Implicit Types (p q d : seq R) (s t : R) (l : layer) (K : domain).

(* ---------- s p + t q ---------- *)

Definition mix s t p q : seq R := [seq s * ab.1 + t * ab.2 | ab <- zip p q].

Lemma size_mix s t p q : size p = size q -> size (mix s t p q) = size q.
Proof. by move=> e; rewrite size_map size_zip e minnn. Qed.
Lemma nth_mix s t p q j : size p = size q -> nth 0 (mix s t p q) j = s * nth 0 p j + t * nth 0 q j.
Proof.
move=> e; case: (ltnP j (size q)) => h; last by rewrite !nth_default ?size_mix ?e // !mulr0 addr0.
by rewrite (nth_map (0, 0)) ?size_zip ?e ?minnn // nth_zip.
Qed.
Lemma dotR_mix a s t p q : size p = size q -> dotR a (mix s t p q) = s * dotR a p + t * dotR a q.
Proof. by elim: a p q => [|u a IH] [|v p] [|w q] //=; rewrite ?mulr0 ?addr0 // => -[e]; rewrite -/(mix s t p q) IH //; ring. Qed.
Lemma mix_same s t p : s + t = 1 -> mix s t p p = p.
Proof. by move=> h; elim: p => //= v p IH; rewrite /mix /= -/(mix s t p p) IH -mulrDl h mul1r. Qed.
Lemma mix_zero t p q : size p = size q -> (forall j, nth 0 q j = 0) -> mix 1 t p q = p.
Proof.
by move=> e h; apply: (@eq_from_nth _ 0) => [|j _]; rewrite ?size_mix // nth_mix // h mul1r mulr0 addr0.
Qed.

(* ---------- one row ---------- *)

Lemma relu_between (a b t : R) : (0 <= a) && (0 <= b) || (a <= 0) && (b <= 0) -> 0 <= t <= 1 ->
  Num.max 0 ((1 - t) * a + t * b) = (1 - t) * Num.max 0 a + t * Num.max 0 b.
Proof.
rewrite -[t <= 1]subr_ge0 => /orP[]/andP[ha hb] /andP[t0 t1].
  by rewrite !max_r // addr_ge0 // mulr_ge0.
by rewrite !max_l // ?mulr0 ?addr0 //; rewrite -oppr_ge0 opprD -!mulrN addr_ge0 // mulr_ge0 // oppr_ge0.
Qed.

(* by how much relu changes at a in direction b *)
Definition relu_change (a b : R) : R := if 0 < a then b else if a < 0 then 0 else Num.max 0 b.
Lemma relu_along (a b t : R) : (if 0 < a then 0 <= b else (0 <= a) || (b <= 0)) -> 0 <= t ->
  Num.max 0 (1 * a + t * b) = 1 * Num.max 0 a + t * relu_change a b.
Proof.
rewrite /relu_change !mul1r => h t0; case: (ltrgt0P a) h => [a0 b0|a0 /= b0|-> _].
- by rewrite max_r ?(max_r (ltW a0)) // addr_ge0 ?mulr_ge0 // ltW.
- by rewrite max_l ?(max_l (ltW a0)) ?mulr0 ?addr0 // -oppr_ge0 opprD -mulrN addr_ge0 // ?mulr_ge0 // oppr_ge0 // ltW.
- by rewrite !add0r maxr_pmulr // mulr0.
Qed.

Lemma row_at_mix s t p q r : size p = size q -> s + t = 1 -> row_at (mix s t p q) r = s * row_at p r + t * row_at q r.
Proof. by move=> e h; rewrite /row_at dotR_mix // !mulrA -mulrDl !mulrDr addrACA -mulrDl h mul1r. Qed.
(* the row without its constant *)
Definition linear_row (r : row) : row := Row (exponent r) Z0 (coefficients r).
Lemma row_at_along t p d r : size p = size d -> row_at (mix 1 t p d) r = 1 * row_at p r + t * row_at d (linear_row r).
Proof. by move=> e; rewrite /row_at dotR_mix //= -[embed Z0]/0; ring. Qed.

(* ---------- layers ---------- *)

Lemma size_layer_at l (x y : seq R) : size (layer_at l x) = size (layer_at l y).
Proof. by rewrite !size_map. Qed.

(* no rectified row has values of opposite signs at p and at q *)
Definition same_sides_in l p q : bool :=
  all (fun rb : row * bool => rb.2 ==> ((0 <= row_at p rb.1) && (0 <= row_at q rb.1) || (row_at p rb.1 <= 0) && (row_at q rb.1 <= 0)))
      (zip (rows l) (rectified l)).
Fixpoint same_sides (ls : seq layer) p q : bool :=
  if ls is l :: ls' then same_sides_in l p q && same_sides ls' (layer_at l p) (layer_at l q) else true.

Lemma layer_affine_between l p q t : size p = size q -> same_sides_in l p q -> 0 <= t <= 1 ->
  layer_at l (mix (1 - t) t p q) = mix (1 - t) t (layer_at l p) (layer_at l q).
Proof.
move=> e; rewrite /same_sides_in /layer_at => h ht.
elim: (zip _ _) h => //= -[r b] rbs IH /= /andP[hb /IH ->]; rewrite [in RHS]/mix /=; congr (_ :: _).
rewrite row_at_mix ?subrK //; case: b hb => //= hb; exact: relu_between.
Qed.

(* I1: layers are affine between two inputs at which no rectified row has values of opposite signs. *)
Theorem layers_affine_between ls p q t : size p = size q -> same_sides ls p q -> 0 <= t <= 1 ->
  layers_at ls (mix (1 - t) t p q) = mix (1 - t) t (layers_at ls p) (layers_at ls q).
Proof.
elim: ls p q => //= l ls IH p q e /andP[h1 h2] ht; rewrite /layers_at /= layer_affine_between //.
by apply: IH => //; apply: size_layer_at.
Qed.

(* I1: inputs with the same output under a layer have no row with values of opposite signs between them. *)
Lemma same_output_same_sides l p q : layer_at l p = layer_at l q -> same_sides_in l p q.
Proof.
rewrite /layer_at /same_sides_in; elim: (zip _ _) => //= -[r b] rbs IH /= [h /IH ->]; rewrite andbT.
case: b h => //=; case: (leP 0 (row_at p r)); case: (leP 0 (row_at q r)) => //=.
- by move=> /ltW -> _ ->; rewrite lexx.
- by move=> _ /ltW -> <-; rewrite lexx.
- by move=> /ltW -> /ltW ->.
Qed.

(* no rectified row changes its sign from p on in the direction d *)
Definition keeps_signs_in l p d : bool :=
  all (fun rb : row * bool => rb.2 ==> (if 0 < row_at p rb.1 then 0 <= row_at d (linear_row rb.1)
                                        else (0 <= row_at p rb.1) || (row_at d (linear_row rb.1) <= 0)))
      (zip (rows l) (rectified l)).
(* by how much the layer's values change *)
Definition layer_change l p d : seq R :=
  [seq (if rb.2 then relu_change (row_at p rb.1) (row_at d (linear_row rb.1)) else row_at d (linear_row rb.1))
  | rb <- zip (rows l) (rectified l)].
Fixpoint keeps_signs (ls : seq layer) p d : bool :=
  if ls is l :: ls' then keeps_signs_in l p d && keeps_signs ls' (layer_at l p) (layer_change l p d) else true.
Fixpoint output_change (ls : seq layer) p d : seq R :=
  if ls is l :: ls' then output_change ls' (layer_at l p) (layer_change l p d) else d.

Lemma layer_affine_along l p d t : size p = size d -> keeps_signs_in l p d -> 0 <= t ->
  layer_at l (mix 1 t p d) = mix 1 t (layer_at l p) (layer_change l p d).
Proof.
move=> e; rewrite /keeps_signs_in /layer_at /layer_change => h ht.
elim: (zip _ _) h => //= -[r b] rbs IH /= /andP[hb /IH ->]; rewrite [in RHS]/mix /=; congr (_ :: _).
rewrite row_at_along //; case: b hb => //= hb; exact: relu_along.
Qed.

(* P2: layers are affine along a direction in which no rectified row changes its sign. *)
Theorem layers_affine_along ls p d t : size p = size d -> keeps_signs ls p d -> 0 <= t ->
  layers_at ls (mix 1 t p d) = mix 1 t (layers_at ls p) (output_change ls p d) /\ size (layers_at ls p) = size (output_change ls p d).
Proof.
elim: ls p d => //= l ls IH p d e /andP[h1 h2] ht; rewrite /layers_at /= layer_affine_along //.
by apply: IH => //; rewrite !size_map.
Qed.

(* ---------- domains ---------- *)

(* I1: a domain is convex. *)
Theorem in_domain_between n K p q t : in_domain n K p -> in_domain n K q -> size p = size q -> 0 <= t <= 1 ->
  in_domain n K (mix (1 - t) t p q).
Proof.
move=> hp hq e; rewrite -[t <= 1]subr_ge0 => /andP[t0 t1]; case: K hp hq => //=.
- by move=> hp hq j hj; rewrite nth_mix // addr_ge0 // mulr_ge0 // ?hp ?hq.
- move=> lo hi hp hq j hj; have /andP[h1 h2] := hp j hj; have /andP[h3 h4] := hq j hj; rewrite nth_mix //.
  have split a : a = (1 - t) * a + t * a by rewrite mulrBl mul1r subrK.
  by apply/andP; split; [rewrite [X in X <= _]split | rewrite [X in _ <= X]split]; rewrite ler_add // ler_wpmul2l.
- move=> sides hp hq s hs; rewrite dotR_mix //.
  have -> : embed s.1 = (1 - t) * embed s.1 + t * embed s.1 :> R by rewrite mulrBl mul1r subrK.
  by rewrite addrACA -!mulrDr -oppr_ge0 opprD -!mulrN addr_ge0 // mulr_ge0 // oppr_ge0 ?hp ?hq.
Qed.

(* with a point p, the domain contains p + t d for every t >= 0 *)
Definition direction_of n K d : Prop :=
  match K with
  | AllSpace => True
  | Orthant => forall j, (j < n)%N -> 0 <= nth 0 d j
  | Box _ _ => False
  | Polytope sides => forall side, List.In side sides -> dotR side.2 d <= 0
  end.
(* P2: a domain contains the ray from each of its points in such a direction. *)
Theorem in_domain_along n K p d t : in_domain n K p -> direction_of n K d -> size p = size d -> 0 <= t ->
  in_domain n K (mix 1 t p d).
Proof.
move=> hp hd e t0; case: K hp hd => //=.
- by move=> hp hd j hj; rewrite nth_mix // mul1r addr_ge0 ?mulr_ge0 // ?hp ?hd.
- move=> sides hp hd s hs; rewrite dotR_mix // mul1r addrA.
  by rewrite -oppr_ge0 opprD -mulrN addr_ge0 ?mulr_ge0 // oppr_ge0 ?hp ?hd.
Qed.

(* ---------- infinite and unbounded sets ---------- *)

Section Sets.
Variable n : nat.
Implicit Types (X Y : 'cV[R]_n -> Prop) (x v : 'cV[R]_n).

Lemma coordinates_mix s t x v : coordinates (s *: x + t *: v) = mix s t (coordinates x) (coordinates v).
Proof. by rewrite /coordinates /mix zip_map -[in RHS]map_comp; apply: eq_map => i /=; rewrite !mxE. Qed.

(* P2: a set that contains a segment is infinite: of the points x + v / (k + 1), k up to the length of a list, one is not in the list. *)
Theorem segment_infinite X x v : v != 0 -> (forall t, 0 <= t <= 1 -> X (x + t *: v)) -> infinite X.
Proof.
move=> v0 hX s; pose f (k : nat) := x + (k.+1%:R)^-1 *: v.
have f_inj : injective f.
  move=> i j /addrI/eqP; rewrite -subr_eq0 -scalerBl scaler_eq0 (negbTE v0) orbF subr_eq0 => /eqP/invr_inj/eqP.
  by rewrite eqr_nat eqSS => /eqP.
have [/allP h|/allPn[y /mapP[k _ ->] hy]] := boolP (all (mem s) [seq f k | k <- iota 0 (size s).+1]).
  have := uniq_leq_size (_ : uniq [seq f k | k <- iota 0 (size s).+1]) h.
  by rewrite size_map size_iota ltnn map_inj_uniq ?iota_uniq // => /(_ isT).
exists (f k) => //; apply: hX; rewrite invr_ge0 ler0n /=.
by rewrite invf_le1 ?ltr0n // -[1]/(1%:R) ler_nat.
Qed.

(* P2: a set that contains a ray is not bounded. *)
Theorem ray_unbounded X x v : v != 0 -> (forall t, 0 <= t -> X (x + t *: v)) -> ~ bounded X.
Proof.
move=> v0 hX [M hM]; have [i vi] : exists i, v i 0 != 0.
  apply/existsP; apply: contraR v0; rewrite negb_exists => /forallP h.
  by apply/eqP/colP => i; rewrite mxE; apply/eqP; rewrite -[_ == _]negbK.
have M0 : 0 <= M by apply: le_trans (hM _ (hX 0 (lexx 0)) i).
pose t := (M + `|x i 0| + 1) / `|v i 0|.
have t0 : 0 <= t by rewrite divr_ge0 // addr_ge0 // addr_ge0.
have := hM _ (hX t t0) i; rewrite !mxE => h.
have : `|t * v i 0| <= M + `|x i 0|.
  by rewrite -[t * _](addKr (x i 0)) addrC (le_trans (ler_norm_add _ _)) // normrN ler_add.
by rewrite normrM (ger0_norm t0) divfK ?normr_eq0 // -ler_subr_addl subrr leNgt ltr01.
Qed.

Lemma infinite_subset X Y : (forall x, X x -> Y x) -> infinite X -> infinite Y.
Proof. by move=> h hX s; have [x /h] := hX s; exists x. Qed.
Lemma bounded_subset X Y : (forall x, X x -> Y x) -> bounded Y -> bounded X.
Proof. by move=> h [M hM]; exists M => x /h; apply: hM. Qed.
End Sets.
End AffinePieces.
