(* What an approximate inverse proves (C3, C4), and an inverse modulo q (C7), whatever the oracle proposed.  The product of a
   vector with packed rows is exact because digits are unique.  For an approximate inverse Q of F, with row sums of |D I - Q F|
   at most A < D, a largest entry x_k of x satisfies D |x_k| <= A |x_k| + |(Q F x)_k|.  For an inverse modulo q, a determinant
   that is a unit modulo q is not 0. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers VectorFacts ApproximateInverse.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists ---------- *)

(* An entry of l whose mark is set is an entry of what the marks select. *)
Lemma nth_map_mask (T U : Type) (p : T -> bool) (t : T) (u : U) places l j : size l = size places ->
  p (nth t places j) -> (j < size l)%N ->
  exists2 i, (i < size (mask [seq p s | s <- places] l))%N & nth u l j = nth u (mask [seq p s | s <- places] l) i.
Proof.
elim: places l j => [|s places IH] [|v l] [|j] //= [e]; first by move=> ->; exists 0%N.
by move=> hp hj; have [i hi ->] := IH l j e hp hj; case: (p s) => /=; [exists i.+1 | exists i].
Qed.

Lemma In_nth (T : Type) (t : T) l i : (i < size l)%N -> List.In (nth t l i) l.
Proof. by elim: l i => // a l IH [|i] h; [left | right; apply: IH]. Qed.

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

(* ---------- a product of packed rows is exact ---------- *)

(* The number with digits l depends linearly on l. *)
Lemma horner_zeros B n : horner B (zeros n) = Z0.
Proof. by rewrite zerosE; elim: n => //= n ->; lia. Qed.
Lemma horner_scale B l a : horner B [seq Z.mul l u | u <- a] = Z.mul l (horner B a).
Proof. by elim: a => [|u a IH] /=; [lia | rewrite IH; lia]. Qed.
Lemma horner_plus_scaled B l a acc : horner B (plus_scaled l a acc) = Z.add (horner B acc) (Z.mul l (horner B a)).
Proof.
elim: a acc => [|u a IH] [|w acc] /=; rewrite ?horner_scale ?IH; lia.
Qed.
Lemma horner_add_scaled B l a acc : horner B (add_scaled l a acc) = Z.add (horner B acc) (Z.mul l (horner B a)).
Proof.
rewrite /add_scaled; case: (Z.eqb_spec l 0) => [->|_]; first by lia.
by rewrite add_scaled_ontoE horner_plus_scaled.
Qed.
Lemma horner_combination B ls rows acc :
  horner B (combination ls rows acc) = Z.add (horner B acc) (dot ls [seq horner B a | a <- rows]).
Proof.
elim: ls rows acc => [|l ls IH] [|a rows] acc /=; rewrite ?dot_nil ?Z.add_0_r //.
by rewrite IH horner_add_scaled dot_cons Z.add_assoc.
Qed.

(* The entries of a combination are at most |ls|_1 times the largest entry. *)
Lemma add_scaled_le l a acc M N : Z.le 0 M -> Z.le 0 N -> (forall u, List.In u acc -> Z.le (Z.abs u) M) ->
  (forall u, List.In u a -> Z.le (Z.abs u) N) ->
  forall u, List.In u (add_scaled l a acc) -> Z.le (Z.abs u) (Z.add M (Z.mul (Z.abs l) N)).
Proof.
move=> M0 N0; have p : Z.le 0 (Z.mul (Z.abs l) N) by apply: Z.mul_nonneg_nonneg; lia.
have hm v : Z.le (Z.abs v) N -> Z.le (Z.abs (Z.mul l v)) (Z.mul (Z.abs l) N).
  by rewrite Z.abs_mul => h; apply: Z.mul_le_mono_nonneg_l; lia.
rewrite /add_scaled; case: (Z.eqb_spec l 0) => [_|_].
  by move=> h _ u /h; lia.
rewrite add_scaled_ontoE [rev _]/= cat0s.
elim: a acc => [|v a IH] [|w acc] hacc ha u //=.
- by move/hacc; lia.
- case=> [<-|]; first by have := hm _ (ha _ (or_introl erefl)); lia.
  by move=> h; have [v1 hv ->] := In_map h; have := hm _ (ha _ (or_intror hv)); lia.
case=> [<-|]; last by apply: IH => t ht; [apply: hacc; right | apply: ha; right].
by have := hm _ (ha _ (or_introl erefl)); have := hacc _ (or_introl erefl); lia.
Qed.
Lemma combination_le ls rows acc M N : Z.le 0 M -> Z.le 0 N -> (forall u, List.In u acc -> Z.le (Z.abs u) M) ->
  (forall a, List.In a rows -> forall u, List.In u a -> Z.le (Z.abs u) N) ->
  forall u, List.In u (combination ls rows acc) -> Z.le (Z.abs u) (Z.add M (Z.mul (sum_abs ls) N)).
Proof.
move=> + N0; elim: ls rows acc M => [|l ls IH] rows acc M M0 hacc hrows u.
  by move/hacc; rewrite /sum_abs /=; lia.
have s0 := @sum_abs_ge0 ls; have p : Z.le 0 (Z.mul (sum_abs ls) N) by apply: Z.mul_nonneg_nonneg.
have p' : Z.le 0 (Z.mul (Z.abs l) N) by apply: Z.mul_nonneg_nonneg; lia.
rewrite sum_abs_cons Z.mul_add_distr_r; case: rows hrows => [|a rows] hrows /=; first by move/hacc; lia.
move=> hu; rewrite Z.add_assoc; apply: IH hu; first by lia.
  by apply: add_scaled_le => //; apply: hrows; left.
by move=> b hb; apply: hrows; right.
Qed.

(* `largest` bounds every entry of the rows. *)
Lemma largest_ge propose w weight rows a u : List.In a rows -> List.In u a -> Z.le (Z.abs u) (largest (pack_slice propose w weight rows)).
Proof.
move=> ha hu; rewrite /=; apply: Z.le_trans (max_abs_ge hu) _.
suff H m : Z.le m (List.fold_left (fun m b => Z.max m (max_abs b)) rows m) /\
    (List.In a rows -> Z.le (max_abs a) (List.fold_left (fun m b => Z.max m (max_abs b)) rows m)) by case: (H Z0) => _; apply.
elim: rows m {ha} => [|b rows IH] m /=; first by split=> //; lia.
have [h1 h2] := IH (Z.max m (max_abs b)); split; first by lia.
by case=> [<-|/h2]; lia.
Qed.
Lemma largest_ge0 propose w weight rows : Z.le 0 (largest (pack_slice propose w weight rows)).
Proof.
rewrite /=; suff H m : Z.le m (List.fold_left (fun m b => Z.max m (max_abs b)) rows m) by exact: H.
elim: rows m => [|b rows IH] m /=; [lia | have := IH (Z.max m (max_abs b)); lia].
Qed.

(* The vector that `slice_product` returns is the combination of the rows, whatever digits were proposed. *)
Theorem slice_product_exact propose w weight rows q e : (forall a, List.In a rows -> size a = w) ->
  slice_product propose (pack_slice propose w weight rows) q = Some e -> e = combination q rows (zeros w).
Proof.
move=> hw; have hl := @largest_ge propose w weight rows; have l0 := @largest_ge0 propose w weight rows.
rewrite /slice_product; move: hl l0; set P := pack_slice propose w weight rows => hl l0; set f := digits _ _ _ _.
case: ifP => // /andP[/andP[/andP[/Nat.eqb_eq s1 /Z.ltb_lt s2] s3] /Z.eqb_eq s4] [<-] {e}.
have sz : size (zeros w) = w by rewrite zerosE size_nseq.
apply: (@digits_unique (radix P)).
- by rewrite (size_combination _ sz hw) -size_ofE.
- by move=> u hu; have := (proj1 (List.forallb_forall _ _) s3) u hu; move/Z.ltb_lt.
- move=> u hu; suff : Z.le (Z.abs u) (Z.add Z0 (Z.mul (sum_abs q) (largest P))) by lia.
  apply: (@combination_le q rows (zeros w)) hu => // [v|a ha v]; last exact: hl ha.
  by rewrite zerosE; elim: (w) => //= n IH [<-|/IH].
- have eB B : dot q (tmap (pack B) rows) = dot q [seq horner B a | a <- rows].
    by rewrite tmapE; congr dot; apply: eq_map => a; rewrite packE.
  by rewrite -packE s4 horner_combination horner_zeros Z.add_0_l -eB.
Qed.
Lemma slice_product_size propose w weight rows q e : slice_product propose (pack_slice propose w weight rows) q = Some e -> size e = w.
Proof. by rewrite /slice_product; case: ifP => // /andP[/andP[/andP[/Nat.eqb_eq s _] _] _] [<-]; rewrite -size_ofE. Qed.


(* A combination, column by column: of the first columns, then of the others. *)
Lemma add_scaled_cat n l a acc : size a = size acc -> (n <= size acc)%N ->
  add_scaled l a acc = add_scaled l (take n a) (take n acc) ++ add_scaled l (drop n a) (drop n acc).
Proof.
rewrite /add_scaled; case: Z.eqb; first by rewrite cat_take_drop.
rewrite !add_scaled_ontoE /= => s _; elim: a acc n s => [|u a IH] [|v acc] [|n] //= [s].
by rewrite (IH acc n s).
Qed.
Lemma combination_cat n ls rows acc w : size acc = w -> (n <= w)%N -> (forall a, List.In a rows -> size a = w) ->
  combination ls rows acc =
    combination ls [seq take n a | a <- rows] (take n acc) ++ combination ls [seq drop n a | a <- rows] (drop n acc).
Proof.
elim: ls rows acc => [|l ls IH] [|a rows] acc sa nw hr /=; rewrite ?cat_take_drop //.
have ha : size a = w by apply: hr; left.
have hc := @add_scaled_cat n l a acc; rewrite sa ha in hc.
have s0 (b c : seq Z) : size b = size c -> size (add_scaled l b c) = size c.
  move=> h; rewrite /add_scaled; case: Z.eqb => //; rewrite add_scaled_ontoE /=.
  by elim: b c h => [|x b IHb] [|y c] //= [h]; rewrite IHb.
have s1 : size (add_scaled l (take n a) (take n acc)) = n by rewrite s0 ?size_takel ?sa ?ha.
rewrite IH //; first last.
- by move=> b hb; apply: hr; right.
- by rewrite s0 ?sa ?ha.
by rewrite hc // take_size_cat ?drop_size_cat.
Qed.

(* The vector that `product` returns is the combination of the rows. *)
Theorem product_exact propose w weight rows q e : (forall a, List.In a rows -> size a = w) ->
  product propose (pack_rows propose w weight rows) q = Some e -> e = combination q rows (zeros w).
Proof.
rewrite /pack_rows; move: {2}w => slices.
have one v rs f : (forall a, List.In a rs -> size a = v) ->
    product propose [:: pack_slice propose v weight rs] q = Some f -> f = combination q rs (zeros v).
  move=> hr; rewrite /=; case he: slice_product => [g|] // [<-]; rewrite tappE cats0.
  exact: slice_product_exact hr he.
elim: slices w rows e => [|slices IH] w rows e hr; first exact: one.
rewrite [pack_within_rows _ _ _ _ _]/=; case: ifP => [_|/Nat.leb_gt hw]; first exact: one.
have lew : (slice_width <= w)%N by apply/ssrnat.leP; apply: Nat.lt_le_incl; exact: hw.
set parts := tmap _ rows; rewrite -[product _ _ _]/(match slice_product propose _ q, product propose _ q with
  | Some e, Some es => Some (tapp e es) | _, _ => None end).
have e1 : tmap fst parts = [seq take slice_width a | a <- rows].
  by rewrite /parts !tmapE -map_comp; apply: eq_map => a /=; rewrite split_atE.
have e2 : tmap snd parts = [seq drop slice_width a | a <- rows].
  by rewrite /parts !tmapE -map_comp; apply: eq_map => a /=; rewrite split_atE.
rewrite e1 e2; case h1: slice_product => [f|] //; case h2: product => [g|] // [<-]; rewrite tappE.
have i1 : forall a, List.In a [seq take slice_width a | a <- rows] -> size a = slice_width.
  by move=> a h; have [b hb ->] := In_map h; rewrite size_takel ?(hr _ hb).
have i2 : forall a, List.In a [seq drop slice_width a | a <- rows] -> size a = Nat.sub w slice_width.
  by move=> a h; have [b hb ->] := In_map h; rewrite size_drop (hr _ hb).
rewrite (slice_product_exact i1 h1) (IH _ _ _ i2 h2).
have sz : size (zeros w) = w by rewrite zerosE size_nseq.
rewrite [in RHS](combination_cat q sz lew hr) !zerosE take_nseq // drop_nseq //.
Qed.
Lemma product_size propose w weight rows q e : product propose (pack_rows propose w weight rows) q = Some e -> size e = w.
Proof.
rewrite /pack_rows; move: {1}w => slices.
have one v rs f : product propose [:: pack_slice propose v weight rs] q = Some f -> size f = v.
  by rewrite /=; case he: slice_product => [g|] // [<-]; rewrite tappE cats0; apply: slice_product_size he.
elim: slices w rows e => [|slices IH] w rows e; first exact: one.
rewrite [pack_within_rows _ _ _ _ _]/=; case: ifP => [_|/Nat.leb_gt hw]; first exact: one.
set parts := tmap _ rows; rewrite -[product _ _ _]/(match slice_product propose _ q, product propose _ q with
  | Some e, Some es => Some (tapp e es) | _, _ => None end).
case h1: slice_product => [f|] //; case h2: product => [g|] // [<-].
by rewrite tappE size_cat (slice_product_size h1) (IH _ _ _ h2); lia.
Qed.

(* e . x is a combination of the rows' products with x, in every commutative ring *)
Section ProductAt.
Variable A : comRingType.
Lemma dotsE ls rows (x : seq A) : dots ls rows x = dotR ls [seq dotR a x | a <- rows].
Proof. by elim: ls rows => [|l ls IH] [|a rows] //=; rewrite IH. Qed.
Lemma product_dot propose w weight rows q e (x : seq A) : (forall a, List.In a rows -> size a = w) ->
  product propose (pack_rows propose w weight rows) q = Some e -> dotR e x = dotR q [seq dotR a x | a <- rows].
Proof. by move=> hw /(product_exact hw) ->; rewrite dotR_combination dotR_zeros add0r dotsE. Qed.
End ProductAt.

(* ---------- rows of an inverse modulo q ---------- *)

Section Modulo.
Variable k : nat.
Let q := Z.of_nat k.+2.
(* Integers modulo q, as elements of Z/qZ. *)
Lemma embed_mod z : embed (Z.modulo z q) = embed z :> 'Z_k.+2.
Proof.
rewrite [in RHS](Z.div_mod z q); last by rewrite /q; lia.
by rewrite embedD embedM /q embed_nat char_Zp // mul0r add0r.
Qed.
Lemma embed_multiple z : Z.eqb (Z.modulo z q) 0 -> embed z = 0 :> 'Z_k.+2.
Proof. by rewrite -embed_mod => /Z.eqb_eq ->. Qed.
(* A list that is_unit_row accepts is row i of the identity, in Z/qZ. *)
Lemma is_unit_row_entry i e : is_unit_row q i e -> forall j, (j < size e)%N -> embed (nth Z0 e j) = (i == j)%:R :> 'Z_k.+2.
Proof.
elim: e i => [|u e IH] [|i] //= /andP[h1 h2] [|j] //= hj; last by rewrite eqSS; apply: IH.
- apply/eqP; rewrite -subr_eq0 -embed1 -embed_opp -embedD; apply/eqP; exact: embed_multiple h1.
- rewrite forallbE in h2; rewrite ltnS in hj; elim: e j h2 hj {IH} => [|v e IH] [|j] //= /andP[h3 h4] hj.
    exact: embed_multiple.
  exact: IH.
- exact: embed_multiple h1.
Qed.
End Modulo.

(* Every row of L times the rows is a row of the identity modulo q. *)
Lemma are_unit_rows_sound propose q P L k : are_unit_rows propose q P L k ->
  forall i, (i < size L)%N -> exists e, product propose P (nth [::] L i) = Some e /\ is_unit_row q (k + i) e.
Proof.
elim: L k => //= l L IH k; case he: product => [e|] // /andP[h1 h2] [|i] hi; first by exists e; rewrite addn0.
by rewrite addnS -addSn; apply: IH.
Qed.

(* Entry j of a product is the sum over i of q_i times entry j of row i. *)
Lemma entry_of_product (A : comRingType) propose w weight rows q e j : (forall a, List.In a rows -> size a = w) ->
  product propose (pack_rows propose w weight rows) q = Some e -> (j < w)%N ->
  embed (nth Z0 e j) = \sum_(i < size rows) embed (nth Z0 q i) * embed (nth Z0 (nth [::] rows i) j) :> A.
Proof.
move=> hw he hj; pose x : seq A := mkseq (fun i => (i == j)%:R) w.
have sx : size x = w by rewrite size_mkseq.
have dotx a : dotR a x = embed (nth Z0 a j).
  rewrite (dotR_sum _ sx) (bigD1 (Ordinal hj)) //= nth_mkseq // eqxx mulr1 big1 ?addr0 // => i.
  by rewrite -val_eqE /= nth_mkseq // => /negbTE ->; rewrite mulr0.
rewrite -dotx (product_dot x hw he) (@dotR_sum _ (size rows)) ?size_map //.
by apply: eq_bigr => i _; rewrite (nth_map [::]) ?dotx.
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

(* What bound_inverse has checked, and what its bound is made of. *)
Lemma bound_inverse_checked attempt places rows rho side_rho b :
  let n := count is_inside places in let sides := count is_beside places in
  bound_inverse propose attempt places rows rho side_rho = Some b ->
  exists D A weight Q gs c, [/\ Z.lt A D,
    [/\ size rows = n, size Q = n, size rho = n, size side_rho = sides & forall a, List.In a rows -> size a = size places],
    examine propose n D (pack_rows propose (n + sides) weight [seq arrange places a | a <- rows]) rho side_rho Q 0 Z0 (zeros n) (zeros sides) Z0
      = Some (A, row_bounds b, gs, c) &
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

(* The shapes of a bound, and that its numbers are not negative. *)
Theorem bound_inverse_shape attempt places rows rho side_rho b :
  bound_inverse propose attempt places rows rho side_rho = Some b ->
  [/\ Z.lt 0 (gap b), size rows = count is_inside places /\ size (row_bounds b) = size rows,
      size (side_bounds b) = count is_beside places,
      (forall q, List.In q (row_bounds b) -> Z.le 0 q) /\ (forall g, List.In g (side_bounds b) -> Z.le 0 g)
    & forall a, List.In a rows -> size a = size places].
Proof using R propose.
move=> hb; have [D [A [weight [Q [gs [c [AD [s1 s2 s3 s4 s5] he [e1 e2 e3]]]]]]]] := bound_inverse_checked hb.
have [||||_ _ hq hg _] := examine_sound he; rewrite ?zerosE ?size_nseq ?addKn -?zerosE ?below_zeros //.
have g0 : Z.lt 0 (gap b) by lia.
split=> //.
- by split=> //; rewrite -(below_size hq) zerosE size_nseq.
- by rewrite e2 size_map -(below_size hg) zerosE size_nseq.
split; first by move=> q; apply: below_ge0; apply: below_refl hq.
by rewrite e2 => g h; have [v _ ->] := In_map h; lia.
Qed.

(* gap |x_j| <= sum of row_bounds_i |a_i.x| + sum of side_bounds_s |x_s| *)
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

(* gap |x_j| <= correction, if no |a_i.x| is above rho_i and no |x_s| above side_rho_s *)
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
by have := max_abs_ge (In_nth Z0 hs); lia.
Qed.

(* ---------- an inverse modulo q ---------- *)

(* A block with an inverse modulo q > 1: it is square, and only 0 is orthogonal to its rows, over every ordered field. *)
Theorem invertible_modulo_sound q n block : invertible_modulo propose q n block ->
  [/\ size block = n, forall a, List.In a block -> size a = n &
      forall x, size x = n -> (forall a, List.In a block -> dotR a x = 0) -> forall j, nth 0 x j = 0].
Proof.
rewrite /invertible_modulo tmapE (eq_map (fun a => tmapE (fun u => Z.modulo u q) a)).
set reduced := map _ block; set L := modular_inverse _ _ _; set weight := List.fold_left _ _ _; rewrite !size_ofE.
case/andP=> /andP[/andP[/andP[/Z.ltb_lt q1 /Nat.eqb_eq sb] /Nat.eqb_eq sL] hb] hu.
have {}hb a : List.In a block -> size a = n.
  by move=> ha; have := proj1 (List.forallb_forall _ _) hb a ha; rewrite size_ofE => /Nat.eqb_eq.
have [k hk] : exists k, q = Z.of_nat k.+2 by exists (Z.to_nat (Z.sub q 2)); lia.
split=> // x sx hx.
have hr a : List.In a reduced -> size a = n by move=> h; have [a' ha ->] := In_map h; rewrite size_map hb.
pose B : 'M[int]_n := \matrix_(i, j) embed (nth Z0 (nth [::] block i) j).
(* L * B = I in Z/qZ, so det B is not 0 modulo q *)
have LB : (\matrix_(i, j) embed (nth Z0 (nth [::] L i) j)) *m map_mx (intmul 1) B = 1%:M :> 'M['Z_k.+2]_n.
  apply/matrixP => i j; rewrite [RHS]mxE; have [|e [he ue]] := are_unit_rows_sound hu (i := i); first by rewrite sL.
  rewrite hk in ue; have := is_unit_row_entry ue (j := j); rewrite (product_size he) ltn_ord add0n => /(_ isT) <-.
  rewrite (entry_of_product _ hr he) // [LHS]mxE size_map sb; apply: eq_bigr => l _; rewrite !mxE embed_int; congr (_ * _).
  rewrite /reduced (nth_map [::]) ?sb // (nth_map Z0) ?hb ?hk ?embed_mod //.
  by apply: In_nth; rewrite sb.
have detB : \det B != 0.
  apply/eqP => d0; have := congr1 determinant LB; rewrite det_mulmx det1 det_map_mx d0 rmorph0 mulr0.
  by move/eqP; rewrite eq_sym oner_eq0.
pose BR := map_mx (intmul 1) B : 'M[R]_n.
have uB : BR \in unitmx by rewrite unitmxE det_map_mx unitfE intr_eq0.
pose X := \col_(j < n) nth 0 x j.
have BX : BR *m X = 0.
  apply/colP => i; rewrite !mxE -[RHS](hx (nth [::] block i)); last by apply: In_nth; rewrite sb.
  by rewrite (dotR_sum _ sx); apply: eq_bigr => j _; rewrite !mxE embed_int.
have X0 : X = 0 by rewrite -[X](mulKmx uB) BX mulmx0.
move=> j; case: (ltnP j n) => hj; last by rewrite nth_default // sx.
by have := congr1 (fun M : 'cV_n => M (Ordinal hj) 0) X0; rewrite !mxE.
Qed.

(* ---------- rows without their common powers of two ---------- *)

(* Dividing a row keeps what it is orthogonal to, and its length. *)
Lemma divided_sound a q x : dotR a x = 0 -> dotR (divided a q) x = 0.
Proof using R propose.
rewrite /divided; case: ifP => // hq e; case: (Z.eq_dec q 0) => q0.
  by rewrite q0 tmapE; apply: dotR_zero; rewrite all_map; elim: (a) => //= u b ->; rewrite Zdiv_0_r.
have : embed q * dotR (tmap (fun u => Z.div u q) a) x = 0 :> R.
  rewrite -dotR_scale -[RHS]e tmapE -map_comp; congr dotR.
  elim: a hq {e} => //= u a IH /andP[/Z.eqb_eq hu /IH ->]; congr (_ :: _) => /=.
  by have := Z.div_mod u q q0; rewrite hu; lia.
by move/eqP; rewrite mulf_eq0 embed_eq0; case/orP=> [|/eqP //]; lia.
Qed.
Lemma size_divided a q : size (divided a q) = size a.
Proof using R propose. by rewrite /divided; case: ifP => // _; rewrite tmapE size_map. Qed.
Lemma odd_row_sound a x : dotR a x = 0 -> dotR (odd_row a) x = 0.
Proof using R propose.
by rewrite /odd_row fold_leftE; case: ifP => // _; elim: powers_of_two a => //= k ks IH a e; apply: IH; apply: divided_sound.
Qed.
Lemma size_odd_row a : size (odd_row a) = size a.
Proof using R propose.
by rewrite /odd_row fold_leftE; case: ifP => // _; elim: powers_of_two a => //= k ks IH a; rewrite IH size_divided.
Qed.
End InverseSound.
