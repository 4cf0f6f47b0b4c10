(* What an approximate inverse proves (C3, C4), whatever was proposed.  For an approximate inverse Q of F, with row sums of
   |D I - Q F| at most A < D, a largest entry x_k of x satisfies D |x_k| <= A |x_k| + |(Q F x)_k|.  So D - A times every entry of x
   is bounded by the entries of F x, and by those of x that F leaves out (the columns beside). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import ProductSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- entry by entry ---------- *)

(* |a_j| <= m_j for all j, and the same length *)
Definition below (a m : seq Z) : bool := all2 (fun u v => Z.leb (Z.abs u) v) a m.
Lemma below_size a m : below a m -> size a = size m.
Proof. by rewrite /below all2E => /andP[/eqP]. Qed.
Lemma below_trans a m m' : below a m -> below m m' -> below a m'.
Proof.
elim: a m m' => [|u a IH] [|v m] [|w m'] //= /andP[h1 h2] /andP[h3 h4].
by rewrite (IH _ _ h2 h4) andbT; lia.
Qed.
Lemma below_refl a m : below a m -> below m m.
Proof. by elim: a m => [|u a IH] [|v m] //= /andP[h /IH ->]; rewrite andbT; lia. Qed.
Lemma below_zeros n : below (zeros n) (zeros n).
Proof. by rewrite zerosE; elim: n. Qed.
Lemma below_ge0 m v : below m m -> List.In v m -> Z.le 0 v.
Proof. by elim: m => //= u m IH /andP[h hm] [<-|/(IH hm)]; lia. Qed.
Lemma below_maxima_l m a : size a = size m -> below m m -> below m (maxima m a).
Proof.
rewrite /maxima tmap2E; elim: m a => [|u m IH] [|v a] //= [e] /andP[h hm].
by rewrite IH // andbT; lia.
Qed.
Lemma below_maxima_r m a : size a = size m -> below a (maxima m a).
Proof.
rewrite /maxima tmap2E; elim: m a => [|u m IH] [|v a] //= [e].
by rewrite IH // andbT; lia.
Qed.

(* ---------- what `examine` has checked ---------- *)

(* Every row q of Q has a product e; its distance from row k of D I is at most A', and |q|, |e| are below the maxima. *)
Lemma examine_sound propose n D w weight rows rho side_rho Q k A qs gs c A' qs' gs' c' :
  examine propose n D (pack_rows propose w weight rows) rho side_rho Q k A qs gs c = Some (A', qs', gs', c') ->
  size qs = n -> size gs = (w - n)%N -> below qs qs -> below gs gs ->
  [/\ Z.le A A', Z.le c c', below qs qs', below gs gs' &
    forall i, (i < size Q)%N -> exists e, let q := nth [::] Q i in
      [/\ product propose (pack_rows propose w weight rows) q = Some e, Z.le (off_identity Z0 (k + i) D (take n e)) A',
          below q qs', below (drop n e) gs' &
          Z.le (Z.add (dot [seq Z.abs u | u <- q] rho) (dot [seq Z.abs u | u <- drop n e] side_rho)) c']].
Proof.
elim: Q k A qs gs c => [|q Q IH] k A qs gs c; first by case=> <- <- <- <- *; split=> //; lia.
rewrite -[examine _ _ _ _ _ _ _ _ _ _ _ _]/(match product propose (pack_rows propose w weight rows) q with Some e => _ | None => _ end).
case he: product => [e|] //; rewrite split_atE; case: ifP => // /Nat.eqb_eq; rewrite size_ofE => sq.
have se := product_size he; set A1 := Z.max A _; set qs1 := maxima _ _; set gs1 := maxima _ _; set c1 := Z.max c _.
move=> h hqs hgs bq bg.
have sd : size (drop n e) = size gs by rewrite size_drop se hgs.
have bq1 : below qs qs1 by apply: below_maxima_l => //; rewrite sq hqs.
have bg1 : below gs gs1 by apply: below_maxima_l.
have rq1 : below q qs1 by apply: below_maxima_r; rewrite sq hqs.
have rg1 : below (drop n e) gs1 by apply: below_maxima_r.
case: (IH _ _ _ _ _ h); rewrite -?(below_size bq1) -?(below_size bg1) ?(below_refl bq1) ?(below_refl bg1) //.
move=> hA hc hq hg hi; split; [exact: Z.le_trans (Z.le_max_l _ _) hA | exact: Z.le_trans (Z.le_max_l _ _) hc | | |].
- exact: below_trans bq1 hq.
- exact: below_trans bg1 hg.
case=> [_|i]; last by rewrite ltnS => /hi; rewrite addSnnS.
exists e; rewrite addn0; split=> //.
- exact: Z.le_trans (Z.le_max_r _ _) hA.
- exact: below_trans rq1 hq.
- exact: below_trans rg1 hg.
- by apply: Z.le_trans hc; rewrite /c1 !tmapE; exact: Z.le_max_r.
Qed.

Section InverseSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x : seq R) (places : seq place).

(* x is zero outside *)
Definition supported places x := size x = size places /\
  forall j, ~~ is_inside (nth Outside places j) -> ~~ is_beside (nth Outside places j) -> nth 0 x j = 0.
(* the part of x beside, inside *)
Definition beside places x := mask [seq is_beside p | p <- places] x.
Definition inside places x := mask [seq is_inside p | p <- places] x.

(* ---------- bounds of products ---------- *)

(* sum of m_i |x_i| *)
Definition weighted (m : seq Z) x : R := \sum_(gv <- zip m x) embed gv.1 * `|gv.2|.

Lemma weighted_cons u m v x : weighted (u :: m) (v :: x) = embed u * `|v| + weighted m x.
Proof. by rewrite /weighted big_cons. Qed.
Lemma weighted_nil m : weighted m [::] = 0.
Proof. by rewrite /weighted; case: m => [|u m]; rewrite big_nil. Qed.
Lemma weighted_ge0 m x : below m m -> 0 <= weighted m x.
Proof.
elim: m x => [|u m IH] [|v x]; rewrite ?weighted_nil //; first by rewrite /weighted big_nil.
case/andP=> h hm; rewrite weighted_cons addr_ge0 ?IH // mulr_ge0 // embed_ge0 //; lia.
Qed.
(* |g . x| <= sum of m_i |x_i| if |g_i| <= m_i; <= sum of |g_i| rho_i if |x_i| <= rho_i; <= |g|_1 m if |x_i| <= m *)
Lemma dotR_le_weighted g m x : below g m -> `|dotR g x| <= weighted m x.
Proof.
elim: g m x => [|u g IH] [|u' m] [|v x] //; rewrite ?weighted_nil /= ?normr0 //.
  by rewrite /weighted big_nil.
case/andP=> h hm; rewrite weighted_cons (le_trans (ler_norm_add _ _)) // ler_add ?IH //.
by rewrite normrM -embed_abs ler_wpmul2r // embed_le.
Qed.
Lemma dotR_le_dot g rho x : size rho = size x -> (forall i, (i < size x)%N -> `|nth 0 x i| <= embed (nth Z0 rho i)) ->
  `|dotR g x| <= embed (dot [seq Z.abs u | u <- g] rho).
Proof.
elim: g rho x => [|u g IH] [|r rho] [|v x] //=; rewrite ?normr0 ?dot_nil // => -[e] h.
rewrite dot_cons embedD embedM embed_abs (le_trans (ler_norm_add _ _)) // ler_add //.
  by rewrite normrM ler_wpmul2l // (h 0%N).
by apply: IH => // i; apply: (h i.+1).
Qed.
Lemma dotR_le_sum_abs a x m : 0 <= m -> (forall i, `|nth 0 x i| <= m) -> `|dotR a x| <= embed (sum_abs a) * m.
Proof.
move=> m0; elim: a x => [|u a IH] [|y x] h /=; rewrite ?normr0 ?mul0r ?mulr_ge0 ?embed_ge0 //; try exact: sum_abs_ge0.
rewrite sum_abs_cons embedD mulrDl; apply: le_trans (ler_norm_add _ _) _; apply: ler_add; last first.
  by apply: IH => i; apply: (h i.+1).
by rewrite normrM embed_abs ler_wpmul2l //; apply: (h 0%N).
Qed.

(* ---------- the maximum-entry argument ---------- *)

(* the largest absolute entry *)
Lemma largest_entry x : exists m, [/\ 0 <= m, forall i, `|nth 0 x i| <= m
   & m = 0 \/ exists2 k, (k < size x)%N & m = `|nth 0 x k|].
Proof.
elim: x => [|y x [m [m0 hm hk]]]; first by exists 0; split=> // [i|]; [rewrite nth_nil normr0|left].
case: (lerP `|y| m) => h.
  exists m; split=> // [[|i]|] //=; case: hk => [->|[k hk ->]]; [by left | by right; exists k.+1].
exists `|y|; split=> // [[|i]|] //=; first by apply: le_trans (hm i) (ltW h).
by right; exists 0%N.
Qed.

(* row k of D I - e, applied to x *)
Lemma off_identity_le s k D e x m : size e = size x -> (k < size x)%N -> 0 <= m -> (forall i, `|nth 0 x i| <= m) ->
  embed s * m + `|embed D * nth 0 x k - dotR e x| <= embed (off_identity s k D e) * m.
Proof.
move=> + + m0; elim: e x k s => [|u e IH] [|v x] k s //= [se] hk hx; have hv := hx 0%N.
case: k hk => [|k] hk /=.
  rewrite sum_abs_fromE embedD (embedD _ s) !mulrDl -addrA ler_add2l.
  have -> : embed D * v - (embed u * v + dotR e x) = embed (Z.sub D u) * v - dotR e x.
    by rewrite -[Z.sub D u]/(Z.add D (Z.opp u)) embedD embed_opp; ring.
  rewrite (le_trans (ler_norm_sub _ _)) // ler_add //; last by apply: dotR_le_sum_abs => // i; apply: (hx i.+1).
  by rewrite normrM -embed_abs ler_wpmul2l // embed_ge0 //; lia.
apply: le_trans (IH x k (Z.add s (Z.abs u)) se hk (fun i => hx i.+1)).
rewrite embedD mulrDl -addrA ler_add2l opprD addrCA addrC.
rewrite (le_trans (ler_norm_sub _ _)) // addrC ler_add2r //.
by rewrite normrM -embed_abs ler_wpmul2l // embed_ge0 //; lia.
Qed.

(* If rows e_k are as close to D I as A allows, and no |e_k . x| is above c, then no (D - A) |x_j| is above c. *)
Lemma maximum_entry (A D : Z) x c : Z.lt A D -> 0 <= c ->
  (forall k, (k < size x)%N -> exists e, [/\ size e = size x, Z.le (off_identity Z0 k D e) A & `|dotR e x| <= c]) ->
  forall j, embed (Z.sub D A) * `|nth 0 x j| <= c.
Proof.
move=> AD c0 h j; have [m [m0 hm hk]] := largest_entry x.
have g0 : 0 < embed (Z.sub D A) :> R by apply: embed_gt0; lia.
apply: le_trans (_ : embed (Z.sub D A) * m <= _); first by rewrite ler_pmul2l.
case: hk => [->|[k kx mk]]; first by rewrite mulr0.
have [e [se hA he]] := h k kx.
rewrite -[Z.sub D A]/(Z.add D (Z.opp A)) embedD embed_opp mulrBl ler_subl_addl.
have := off_identity_le Z0 D se kx m0 hm; rewrite [embed Z0]/(0 : R) mul0r add0r => h1.
have h2 : `|embed D * nth 0 x k - dotR e x| <= embed A * m.
  by apply: le_trans h1 _; rewrite ler_wpmul2r // embed_le //; lia.
rewrite {1}mk; apply: le_trans (_ : `|embed D * nth 0 x k| <= _); first by rewrite normrM ler_wpmul2r // ler_norm.
rewrite -[embed D * _](subrK (dotR e x)) (le_trans (ler_norm_add _ _)) // ler_add //.
Qed.

(* ---------- the unknowns, arranged ---------- *)

Lemma arrangeE places a :
  arrange places a = mask [seq is_inside p | p <- places] a ++ mask [seq is_beside p | p <- places] a.
Proof. by rewrite /arrange tappE !pickE !tmapE. Qed.
Lemma size_inside places (T : Type) (a : seq T) : size a = size places ->
  size (mask [seq is_inside p | p <- places] a) = count is_inside places.
Proof. by move=> sa; rewrite size_mask ?size_map // count_map. Qed.
Lemma size_beside places (T : Type) (a : seq T) : size a = size places ->
  size (mask [seq is_beside p | p <- places] a) = count is_beside places.
Proof. by move=> sa; rewrite size_mask ?size_map // count_map. Qed.
Lemma size_arrange places a : size a = size places -> size (arrange places a) = (count is_inside places + count is_beside places)%N.
Proof. by move=> sa; rewrite arrangeE size_cat size_inside ?size_beside. Qed.

(* Where x is zero outside, the arranged row has the same product with the arranged x. *)
Lemma dotR_arrange places a x : size a = size places -> supported places x ->
  dotR (arrange places a) (inside places x ++ beside places x) = dotR a x.
Proof.
move=> sa [sx h]; have si := size_inside sa; have si' := size_inside sx.
rewrite arrangeE dotR_cat si -si' /inside /beside take_size_cat // drop_size_cat // {si si'}.
elim: places a x sa sx h => [|p places IH] [|u a] [|v x] //=; first by rewrite addr0.
move=> [sa] [sx] h.
have := IH a x sa sx (fun j => h j.+1); have := h 0%N; case: p {IH h} => /= h <-; first by rewrite h // mulr0 add0r.
  by rewrite addrA.
by rewrite addrCA.
Qed.

(* A bound that some attempt gave was accepted. *)
Lemma some_boundP tried places rows rho side_rho accept : some_bound propose tried places rows rho side_rho accept ->
  exists attempt b, bound_inverse propose attempt places rows rho side_rho = Some b /\ accept b.
Proof.
elim: tried => //= attempt tried IH; case hb: bound_inverse => [b|] //.
by case/orP=> [ha|/andP[_ /IH //]]; exists attempt, b.
Qed.

(* What bound_inverse has checked, and what its bound is made of. *)
Lemma bound_inverse_checked attempt places rows rho side_rho b :
  let n := count is_inside places in let sides := count is_beside places in
  bound_inverse propose attempt places rows rho side_rho = Some b ->
  exists D A weight Q gs c, [/\ Z.lt A D,
    [/\ size rows = n, size Q = n, size rho = n, size side_rho = sides & forall a, List.In a rows -> size a = size places],
    examine propose n D (pack_rows propose (n + sides) weight [seq arrange places a | a <- rows]) rho side_rho Q
      0 Z0 (zeros n) (zeros sides) Z0 = Some (A, row_bounds b, gs, c) &
    [/\ gap b = Z.sub D A, side_bounds b = [seq Z.max (gap b) g | g <- gs] &
        correction b = Z.max c (Z.mul (gap b) (max_abs side_rho))]].
Proof.
move=> n sides; rewrite /bound_inverse.
have -> : number (tmap is_inside places) = n by rewrite numberE tmapE count_map.
have -> : number (tmap is_beside places) = sides by rewrite numberE tmapE count_map.
case: approximate_inverse => Q D; set weight := List.fold_left _ _ _; rewrite !size_ofE.
case: ifP => // /andP[/andP[/andP[/andP[/Nat.eqb_eq h1 /Nat.eqb_eq h2] /Nat.eqb_eq h3] /Nat.eqb_eq h4] h5].
case he: examine => [[[[A qs] gs] c]|] //; case: ifP => // /Z.ltb_lt AD [<-] /=.
exists D, A, weight, Q, gs, c; split=> //=; last by rewrite tmapE.
  split=> // a ha; have := proj1 (List.forallb_forall _ _) h5 a ha; by rewrite !size_ofE => /Nat.eqb_eq.
by rewrite -tmapE.
Qed.

(* Row k of Q, where x is zero outside: its product e is close to row k of D I, and e . x is a combination of the a_i . x. *)
Lemma product_arranged places weight rows q e x : let n := count is_inside places in let sides := count is_beside places in
  (forall a, List.In a rows -> size a = size places) -> supported places x ->
  product propose (pack_rows propose (n + sides) weight [seq arrange places a | a <- rows]) q = Some e ->
  size (take n e) = size (inside places x) /\
  dotR (take n e) (inside places x) = dotR q [seq dotR a x | a <- rows] - dotR (drop n e) (beside places x).
Proof.
move=> n sides hr hx he; have se := product_size he.
have sa b : List.In b [seq arrange places a | a <- rows] -> size b = (n + sides)%N.
  by move=> h; have [a ha ->] := In_map h; rewrite size_arrange ?hr.
have st : size (take n e) = n by rewrite size_takel // se leq_addr.
have sx : size (inside places x) = n by rewrite size_inside //; case: hx.
split; first by rewrite st sx.
have := product_dot (inside places x ++ beside places x) sa he; rewrite -map_comp.
have -> : [seq (dotR (R:=R))^~ (inside places x ++ beside places x) (arrange places a) | a <- rows] = [seq dotR a x | a <- rows].
  elim: rows hr {he sa} => //= a rows IH hr; rewrite IH ?dotR_arrange ?hr //; first by left.
  by move=> b hb; apply: hr; right.
by move=> <-; rewrite -{2}[e](cat_take_drop n) dotR_cat st take_size_cat // drop_size_cat // addrK.
Qed.

(* An entry of x is inside, or beside, or zero. *)
Lemma entry_cases places x (c : R) (g : Z) : supported places x -> 0 <= c ->
  (forall i, (i < size (inside places x))%N -> embed g * `|nth 0 (inside places x) i| <= c) ->
  (forall i, (i < size (beside places x))%N -> embed g * `|nth 0 (beside places x) i| <= c) ->
  forall j, embed g * `|nth 0 x j| <= c.
Proof.
move=> [sx h] c0 hi hb j; case: (ltnP j (size x)) => jx; last by rewrite nth_default // normr0 mulr0.
case pi: (is_inside (nth Outside places j)).
  by have [i li ->] := nth_map_mask 0 sx pi jx; apply: hi.
case pb: (is_beside (nth Outside places j)).
  by have [i li ->] := nth_map_mask 0 sx pb jx; apply: hb.
by rewrite h ?pi ?pb // normr0 mulr0.
Qed.

(* The bounds beside are at least the gap. *)
Lemma below_side_bounds g gs : Z.lt 0 g -> below gs gs -> below gs [seq Z.max g v | v <- gs].
Proof. by move=> g0; elim: gs => //= v gs IH /andP[h /IH ->]; rewrite andbT; lia. Qed.

(* |x_s| occurs in the weighted sum. *)
Lemma entry_le_weighted g m x i : (forall v, List.In v m -> Z.le g v) -> below m m -> size m = size x ->
  (i < size x)%N -> embed g * `|nth 0 x i| <= weighted m x.
Proof.
elim: m x i => [|u m IH] [|v x] [|i] //= hg /andP[hu hm] [sm] hi; rewrite weighted_cons.
  rewrite -[X in X <= _]addr0 ler_add ?weighted_ge0 // ler_wpmul2r // embed_le //.
  by apply/Z.leb_le/hg; left.
rewrite -[X in X <= _]add0r ler_add //; first by rewrite mulr_ge0 // embed_ge0 //; lia.
by apply: IH => // w hw; apply: hg; right.
Qed.

(* ---------- the bounds ---------- *)

(* C3, C4: the shapes of a bound, and that its numbers are not negative. *)
Theorem bound_inverse_shape attempt places rows rho side_rho b :
  bound_inverse propose attempt places rows rho side_rho = Some b ->
  [/\ Z.lt 0 (gap b), size rows = count is_inside places /\ size (row_bounds b) = size rows,
      size (side_bounds b) = count is_beside places,
      (forall q, List.In q (row_bounds b) -> Z.le 0 q) /\ (forall g, List.In g (side_bounds b) -> Z.le 0 g)
    & forall a, List.In a rows -> size a = size places].
Proof.
move=> hb; have [D [A [weight [Q [gs [c [AD [s1 s2 s3 s4 s5] he [e1 e2 e3]]]]]]]] := bound_inverse_checked hb.
have [||||_ _ hq hg _] := examine_sound he; rewrite ?zerosE ?size_nseq ?addKn -?zerosE ?below_zeros //.
have g0 : Z.lt 0 (gap b) by lia.
split=> //.
- by split=> //; rewrite -(below_size hq) zerosE size_nseq.
- by rewrite e2 size_map -(below_size hg) zerosE size_nseq.
split; first by move=> q; apply: below_ge0; apply: below_refl hq.
by rewrite e2 => g h; have [v _ ->] := In_map h; lia.
Qed.

(* C3: gap |x_j| <= sum of row_bounds_i |a_i.x| + sum of side_bounds_s |x_s| *)
Theorem bound_inverse_sound attempt places rows rho side_rho b :
  bound_inverse propose attempt places rows rho side_rho = Some b -> forall x, supported places x -> forall j,
  embed (gap b) * `|nth 0 x j| <=
    \sum_(qa <- zip (row_bounds b) rows) embed qa.1 * `|dotR qa.2 x| +
    \sum_(gv <- zip (side_bounds b) (beside places x)) embed gv.1 * `|gv.2|.
Proof.
move=> hb x hx; have [g0 _ hside [_ _] _] := bound_inverse_shape hb.
have [D [A [weight [Q [gs [c [AD [s1 s2 s3 s4 s5] he [e1 e2 e3]]]]]]]] := bound_inverse_checked hb.
have [||||_ _ hq hg hQ] := examine_sound he; rewrite ?zerosE ?size_nseq ?addKn -?zerosE ?below_zeros //.
have -> : \sum_(qa <- zip (row_bounds b) rows) embed qa.1 * `|dotR qa.2 x| = weighted (row_bounds b) [seq dotR a x | a <- rows].
  by elim: (row_bounds b) (rows) => [|u m IH] [|a r]; rewrite /weighted ?big_nil //= !big_cons -/(weighted _ _) -IH.
rewrite -/(weighted (side_bounds b) (beside places x)).
have bgs := below_side_bounds g0 (below_refl hg); rewrite -e2 in bgs.
have w0 : 0 <= weighted (row_bounds b) [seq dotR a x | a <- rows] by apply: weighted_ge0; apply: below_refl hq.
have w1 : 0 <= weighted (side_bounds b) (beside places x) by apply: weighted_ge0; apply: below_refl bgs.
have [sx _] := hx.
apply: entry_cases (hx) _ _ _; [exact: addr_ge0 | move=> i _ | move=> i hi].
  rewrite e1; apply: maximum_entry => // [|k]; first exact: addr_ge0.
  move=> kx; case: (hQ k) => [|e [hp ho bq bg _]]; first by rewrite s2 -(size_inside sx).
  exists (take (count is_inside places) e).
  have [st ->] := product_arranged s5 hx hp; split=> //.
  rewrite (le_trans (ler_norm_sub _ _)) // ler_add ?dotR_le_weighted //.
  exact: below_trans bg bgs.
rewrite -[X in X <= _]add0r ler_add // entry_le_weighted // ?size_beside //.
  by rewrite e2 => v h; have [u _ ->] := In_map h; lia.
exact: below_refl bgs.
Qed.

(* C4: gap |x_j| <= correction, if no |a_i.x| is above rho_i and no |x_s| above side_rho_s *)
Theorem correction_sound attempt places rows rho side_rho b :
  bound_inverse propose attempt places rows rho side_rho = Some b -> forall x, supported places x ->
  (forall i, (i < size rows)%N -> `|dotR (nth [::] rows i) x| <= embed (nth Z0 rho i)) ->
  (forall s, (s < size (beside places x))%N -> `|nth 0 (beside places x) s| <= embed (nth Z0 side_rho s)) ->
  forall j, embed (gap b) * `|nth 0 x j| <= embed (correction b).
Proof.
move=> hb x hx hrho hside; have [g0 _ _ _ _] := bound_inverse_shape hb; have [sx _] := hx.
have [D [A [weight [Q [gs [c [AD [s1 s2 s3 s4 s5] he [e1 e2 e3]]]]]]]] := bound_inverse_checked hb.
have [||||_ hc _ _ hQ] := examine_sound he; rewrite ?zerosE ?size_nseq ?addKn -?zerosE ?below_zeros //.
have c0 : Z.le 0 (correction b) by lia.
apply: entry_cases (hx) _ _ _; [exact: embed_ge0 | move=> i _ | move=> i hi].
  rewrite e1; apply: maximum_entry => // [|k]; first exact: embed_ge0.
  move=> kx; case: (hQ k) => [|e [hp ho _ _ hce]]; first by rewrite s2 -(size_inside sx).
  exists (take (count is_inside places) e).
  have [st ->] := product_arranged s5 hx hp; split=> //.
  apply: le_trans (_ : embed c <= _); last by rewrite embed_le //; lia.
  apply: le_trans (embed_le R _); last by apply/Z.leb_le; exact: hce.
  rewrite embedD (le_trans (ler_norm_sub _ _)) // ler_add // dotR_le_dot ?size_map ?s1 ?size_beside //.
    by rewrite -s1 => l hl; rewrite (nth_map [::]) // hrho.
  by rewrite -(size_beside sx); exact: hside.
apply: le_trans (_ : embed (Z.mul (gap b) (max_abs side_rho)) <= _); last by rewrite e3 embed_le //; lia.
rewrite embedM ler_wpmul2l ?embed_ge0 //; first by lia.
apply: le_trans (hside i hi) _; apply: embed_le.
have hs : (i < size side_rho)%N by rewrite s4 -(size_beside sx).
by have := max_abs_ge (nth_In Z0 hs); lia.
Qed.

End InverseSound.
