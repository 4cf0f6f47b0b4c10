(* C5: the product of a vector with integer rows, from one product with packed rows: whatever digits are proposed, they are accepted
   only if they are small and give the same number, and small digits are unique.  So the product is exact. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts ApproximateInverse.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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

(* C5: the vector that `slice_product` returns is the combination of the rows, whatever digits were proposed. *)
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

(* C5: the vector that `product` returns is the combination of the rows. *)
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
Lemma product_dot propose w weight rows q e (x : seq A) : (forall a, List.In a rows -> size a = w) ->
  product propose (pack_rows propose w weight rows) q = Some e -> dotR e x = dotR q [seq dotR a x | a <- rows].
Proof. by move=> hw /(product_exact hw) ->; rewrite dotR_combination dotR_zeros add0r dotsE. Qed.
End ProductAt.

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
