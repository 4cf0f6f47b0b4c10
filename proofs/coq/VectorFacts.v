(* The executable operations of Vectors.v are the mathematical ones: maps, sums, products with a vector of R, digits of a number.
   A combination of integer rows, times x, is the combination of the rows' products with x. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.

(* ---------- what the tail-recursive operations compute ---------- *)

Lemma tmapE (A B : Type) (f : A -> B) l : tmap f l = [seq f a | a <- l].
Proof.
rewrite /tmap -[RHS]cat0s -[[::] in RHS]/(rev [::]).
elim: l [::] => [|a l IH] out /=; first by rewrite rev_append_cat !cats0.
by rewrite IH rev_cons cat_rcons.
Qed.

Lemma tmap2E (A B C : Type) (f : A -> B -> C) l m : tmap2 f l m = [seq f ab.1 ab.2 | ab <- zip l m].
Proof.
rewrite /tmap2 -[RHS]cat0s -[[::] in RHS]/(rev [::]).
elim: l m [::] => [|a l IH] [|b m] out /=; rewrite ?rev_append_cat ?cats0 //.
by rewrite IH rev_cons cat_rcons.
Qed.

Lemma tappE (A : Type) (l m : seq A) : tapp l m = l ++ m.
Proof. by rewrite /tapp !rev_append_cat cats0 revK. Qed.

Lemma size_ofE (A : Type) (l : seq A) : size_of l = size l.
Proof. by rewrite /size_of -[RHS]addn0; elim: l 0%N => [|a l IH] k //=; rewrite IH addnS. Qed.

Lemma repeat_ontoE (A : Type) (a : A) n l : repeat_onto a n l = nseq n a ++ l.
Proof. by elim: n l => [|n IH] l //=; rewrite IH -cat_cons -[a :: nseq n a]/(nseq n.+1 a) -addn1 nseqD -catA. Qed.
Lemma zerosE n : zeros n = nseq n Z0.
Proof. by rewrite /zeros repeat_ontoE cats0. Qed.

Lemma pickE (A : Type) marks (l : seq A) : pick marks l = mask marks l.
Proof.
rewrite /pick -[RHS]cat0s -[[::] in RHS]/(rev [::]).
elim: marks l [::] => [|b marks IH] [|a l] out /=; rewrite ?rev_append_cat ?cats0 //.
by rewrite IH; case: b => //=; rewrite rev_cons cat_rcons.
Qed.

Lemma numberE marks : number marks = count id marks.
Proof.
rewrite /number -[RHS]addn0; elim: marks 0%N => [|b marks IH] k //=.
by rewrite IH; case: b => /=; rewrite ?addnS.
Qed.

Lemma split_atE (A : Type) n (l : seq A) : split_at n l = (take n l, drop n l).
Proof.
rewrite /split_at -[take n l]cat0s -[[::] in RHS]/(rev [::]).
elim: n l [::] => [|n IH] [|a l] out /=; rewrite ?rev_append_cat ?cats0 //.
by rewrite IH rev_cons cat_rcons.
Qed.

Lemma fit_size n l marks : fit n l = Some marks -> size marks = n.
Proof.
suff H out : fit_onto n l out = Some marks -> size marks = (size out + n)%N by move/H.
elim: n l out => [|n IH] l out /=; first by case: ifP => // _ [<-]; rewrite rev_append_cat cats0 size_rev addn0.
by case: l => [|b l] /IH ->; rewrite /= addSnnS.
Qed.

Lemma is_zeroE a : is_zero a = all (Z.eqb Z0) a.
Proof. exact: forallbE. Qed.

(* two lists of the same length, entry by entry *)
(* forallb over tmap2, by index *)
Lemma all_tmap2 (A B : Type) (a0 : A) (b0 : B) (p : A -> B -> bool) s t n : size s = n -> size t = n ->
  List.forallb (fun b => b) (tmap2 p s t) = true <-> forall j, (j < n)%N -> p (nth a0 s j) (nth b0 t j).
Proof.
rewrite tmap2E forallbE; elim: n s t => [|n IH] [|a s] [|b t] //= [/IH h] [/h{}h].
by split=> [/andP[hp /h ht] [|j]|hp] //; [apply: ht | rewrite (hp 0%N) //=; apply/h => j; apply: (hp j.+1)].
Qed.
Lemma nth_tmap2 (A B : Type) (a0 : A) (b0 : B) (p : A -> B -> bool) s t n : size s = n -> size t = n ->
  forall j, nth false (tmap2 p s t) j = (j < n)%N && p (nth a0 s j) (nth b0 t j).
Proof.
move=> hs ht j; rewrite tmap2E; case: ltnP => hj /=; last first.
  by rewrite nth_default // size_map size_zip hs ht minnn.
by rewrite (nth_map (a0, b0)) ?size_zip ?hs ?ht ?minnn // nth_zip ?hs ?ht.
Qed.
Lemma size_tmap2 (A B C : Type) (p : A -> B -> C) s t n : size s = n -> size t = n -> size (tmap2 p s t) = n.
Proof. by move=> hs ht; rewrite tmap2E size_map size_zip hs ht minnn. Qed.
Lemma tmap2_pair (A B : Type) (s : seq A) (t : seq B) : tmap2 pair s t = zip s t.
Proof. by rewrite tmap2E -[RHS]map_id; apply: eq_map => -[]. Qed.
(* marks that agree everywhere are equal *)
Lemma all_marks_equal (m m' : seq bool) : size m = size m' -> List.forallb (fun b => b) (tmap2 Bool.eqb m m') -> m = m'.
Proof.
rewrite tmap2E forallbE => + h; elim: m m' h => [|b m IH] [|b' m'] //= /andP[/Bool.eqb_prop -> h] [hs].
by rewrite (IH _ h hs).
Qed.

(* ---------- integers ---------- *)

Lemma dot_fromE s a x : dot_from s a x = Z.add s (foldr Z.add Z0 [seq Z.mul ux.1 ux.2 | ux <- zip a x]).
Proof.
elim: a x s => [|u a IH] [|v x] s /=; rewrite ?Z.add_0_r //.
by rewrite IH Z.add_assoc.
Qed.
Lemma dotE a x : dot a x = foldr Z.add Z0 [seq Z.mul ux.1 ux.2 | ux <- zip a x].
Proof. by rewrite /dot dot_fromE. Qed.
Lemma dot_cons u a v x : dot (u :: a) (v :: x) = Z.add (Z.mul u v) (dot a x).
Proof. by rewrite !dotE. Qed.
Lemma dot_nil a : dot a [::] = Z0. Proof. by case: a. Qed.

Lemma sum_abs_cons u a : sum_abs (u :: a) = Z.add (Z.abs u) (sum_abs a).
Proof.
rewrite /sum_abs /=; set s := Z.abs u.
suff H t : sum_abs_from t a = Z.add t (sum_abs_from Z0 a) by exact: H.
elim: a t => [|v a IH] t /=; first by rewrite Z.add_0_r.
by rewrite IH [in RHS]IH; lia.
Qed.
Lemma sum_abs_fromE s a : sum_abs_from s a = Z.add s (sum_abs a).
Proof.
elim: a s => [|v a IH] s /=; first by rewrite Z.add_0_r.
by rewrite IH sum_abs_cons; lia.
Qed.
Lemma sum_abs_ge0 a : Z.le 0 (sum_abs a).
Proof. by elim: a => [|u a IH] //; rewrite sum_abs_cons; lia. Qed.

Lemma max_abs_from m a : Z.le m (List.fold_left (fun m u => Z.max m (Z.abs u)) a m) /\
  forall u, List.In u a -> Z.le (Z.abs u) (List.fold_left (fun m u => Z.max m (Z.abs u)) a m).
Proof.
elim: a m => [|v a IH] m /=; first by split=> //; lia.
have [h1 h2] := IH (Z.max m (Z.abs v)); split; first by lia.
by move=> u [<-|/h2]; lia.
Qed.
Lemma max_abs_ge a u : List.In u a -> Z.le (Z.abs u) (max_abs a).
Proof. by case: (max_abs_from Z0 a) => _; apply. Qed.

(* the smallest of m and the f a *)
Lemma fold_min (A : Type) (f : A -> Z) l m : Z.le (List.fold_left (fun m a => Z.min m (f a)) l m) m /\
  forall a, List.In a l -> Z.le (List.fold_left (fun m a => Z.min m (f a)) l m) (f a).
Proof.
elim: l m => [|b l IH] m /=; first by split=> //; lia.
have [h1 h2] := IH (Z.min m (f b)); split; first by lia.
by move=> a [<-|/h2]; lia.
Qed.
Lemma all_zero_nth a k : all (Z.eqb Z0) a -> nth Z0 a k = Z0.
Proof. by elim: a k => [|[|p|p] a IH] [|k] //=; apply: IH. Qed.

(* ---------- packing ---------- *)

Lemma pairs_ontoE B : forall l out, pairs_onto B l out = rev out ++ pairs_onto B l [::].
Proof.
fix IH 1; case=> [|a [|b l]] out /=; rewrite ?rev_append_cat ?cats0 //.
by rewrite IH (IH l [:: _]) rev_cons cat_rcons.
Qed.
Lemma horner_pairs B : forall l, horner (Z.mul B B) (pairs_onto B l [::]) = horner B l.
Proof.
fix IH 1; case=> [|a [|b l]] //=; rewrite ?Z.mul_0_r //.
by rewrite pairs_ontoE /= IH; lia.
Qed.
Lemma packE B l : pack B l = horner B l.
Proof.
rewrite /pack; elim: 32 B l => [|h IH] B [|a [|b l]] //; rewrite ?[RHS]/= ?Z.mul_0_r ?Z.add_0_r //.
by rewrite -[LHS]/(pack_within h (Z.mul B B) (pairs_onto B [:: a, b & l] [::])) IH horner_pairs.
Qed.

(* Numbers with small digits have one expansion. *)
Lemma digits_unique B e f : size e = size f ->
  (forall u, List.In u e -> Z.lt (Z.mul 2 (Z.abs u)) B) -> (forall u, List.In u f -> Z.lt (Z.mul 2 (Z.abs u)) B) ->
  horner B e = horner B f -> e = f.
Proof.
elim: e f => [|u e IH] [|v f] //= [hs] he hf h.
have hu := he u (or_introl erefl); have hv := hf v (or_introl erefl).
set X := horner B e in h; set Y := horner B f in h.
have h' : Z.sub u v = Z.mul B (Z.sub Y X) by rewrite Z.mul_sub_distr_l; lia.
have hB : Z.lt 0 B by lia.
have hYX : Z.sub Y X = Z0.
  case: (Z.eq_dec (Z.sub Y X) 0) => // h0.
  have h1 : Z.le (Z.mul B 1) (Z.mul B (Z.abs (Z.sub Y X))) by apply: Z.mul_le_mono_nonneg_l; lia.
  have : Z.abs (Z.sub u v) = Z.mul B (Z.abs (Z.sub Y X)) by rewrite h' Z.abs_mul; lia.
  lia.
rewrite hYX Z.mul_0_r in h'.
congr (_ :: _); first by lia.
by apply: IH => //; [auto | auto | rewrite -/X -/Y; lia].
Qed.

(* ---------- products with vectors of R ---------- *)
Local Open Scope ring_scope.

Section Products.
Variable R : comRingType.
Implicit Types x : seq R.

Lemma dotR_scale l a x : dotR [seq Z.mul l u | u <- a] x = embed l * dotR a x.
Proof. by elim: a x => [|u a IH] [|v x] /=; rewrite ?mulr0 // IH embedM; ring. Qed.
Lemma dotR_cat a b x : dotR (a ++ b) x = dotR a (take (size a) x) + dotR b (drop (size a) x).
Proof.
elim: a x => [|u a IH] [|v x] /=; rewrite ?take0 ?add0r ?dotR_nil ?addr0 //.
by rewrite IH addrA.
Qed.

(* acc + l a, entry by entry *)
Fixpoint plus_scaled (l : Z) (a acc : seq Z) : seq Z :=
  match a, acc with
  | [::], _ => acc
  | _, [::] => [seq Z.mul l u | u <- a]
  | u :: a', w :: acc' => Z.add w (Z.mul l u) :: plus_scaled l a' acc'
  end.
Lemma add_scaled_ontoE out l a acc : add_scaled_onto out l a acc = rev out ++ plus_scaled l a acc.
Proof.
elim: a acc out => [|u a IH] [|w acc] out /=; rewrite ?rev_append_cat ?tmapE //.
by rewrite IH rev_cons cat_rcons.
Qed.
Lemma dotR_plus_scaled l a acc x : dotR (plus_scaled l a acc) x = dotR acc x + embed l * dotR a x.
Proof.
elim: a acc x => [|u a IH] [|w acc] [|v x] /=; rewrite ?mulr0 ?addr0 ?add0r //.
  by rewrite dotR_scale embedM; ring.
by rewrite IH embedD embedM; ring.
Qed.
Lemma dotR_add_scaled l a acc x : dotR (add_scaled l a acc) x = dotR acc x + embed l * dotR a x.
Proof.
rewrite /add_scaled; case: (Z.eqb_spec l 0) => [->|_]; first by rewrite mul0r addr0.
by rewrite add_scaled_ontoE dotR_plus_scaled.
Qed.

(* sum of ls_i (rows_i . x) *)
Fixpoint dots (ls : seq Z) (rows : seq (seq Z)) x : R :=
  match ls, rows with l :: ls', a :: rows' => embed l * dotR a x + dots ls' rows' x | _, _ => 0 end.
Lemma dotR_combination ls rows acc x : dotR (combination ls rows acc) x = dotR acc x + dots ls rows x.
Proof.
elim: ls rows acc => [|l ls IH] [|a rows] acc /=; rewrite ?addr0 //.
by rewrite IH dotR_add_scaled addrA.
Qed.
Lemma dotR_zero a x : all (Z.eqb Z0) a -> dotR a x = 0.
Proof. by elim: a x => [|[|p|p] a IH] [|v x] //= h; rewrite IH // mul0r addr0. Qed.
Lemma dotR_zeros n x : dotR (zeros n) x = 0.
Proof. by rewrite zerosE dotR_zero // all_nseq orbT. Qed.
Lemma dotR_sum n a x : size x = n -> dotR a x = \sum_(j < n) embed (nth Z0 a j) * nth 0 x j.
Proof.
elim: n a x => [|n IH] a [|v x] //= e; first by rewrite big_ord0 dotR_nil.
case: e => e; case: a => [|u a] /=.
  by rewrite big1 // => i _; rewrite nth_nil mul0r.
by rewrite big_ord_recl /= (IH _ _ e).
Qed.
Lemma size_plus_scaled l a acc : size (plus_scaled l a acc) = maxn (size a) (size acc).
Proof.
elim: a acc => [|u a IH] [|w acc] //=; rewrite ?max0n ?maxn0 ?size_map //.
by rewrite IH maxnSS.
Qed.
Lemma size_combination ls rows acc n : size acc = n -> (forall a, List.In a rows -> size a = n) ->
  size (combination ls rows acc) = n.
Proof.
elim: ls rows acc => [|l ls IH] [|a rows] acc //= h hr; apply: IH; last by move=> b hb; apply: hr; right.
rewrite /add_scaled; case: ifP => // _; rewrite add_scaled_ontoE size_plus_scaled h hr ?maxnn //; by left.
Qed.
Lemma embed_dot a b : embed (dot a b) = dotR a [seq embed v | v <- b] :> R.
Proof. by rewrite dotE; elim: a b => [|u a IH] [|v b] //=; rewrite embedD embedM IH. Qed.
(* marks and a list of the same length: the entries that are not marked being zero, the others are the whole *)
Lemma dotR_mask marks a x : size a = size marks -> size x = size marks ->
  (forall j, ~~ nth false marks j -> nth 0 x j = 0) -> dotR (mask marks a) (mask marks x) = dotR a x.
Proof.
elim: marks a x => [|b marks IH] [|u a] [|v x] //= [ha] [hx] h.
have IHx : dotR (mask marks a) (mask marks x) = dotR a x by apply: IH => // j; apply: (h j.+1).
case: b h => h /=; rewrite IHx //.
by have -> : v = 0; [apply: (h 0%N) | rewrite mulr0 add0r].
Qed.
Lemma zero_of_mask marks x : size x = size marks ->
  (forall j, ~~ nth false marks j -> nth 0 x j = 0) -> (forall j, nth 0 (mask marks x) j = 0) -> forall j, nth 0 x j = 0.
Proof.
elim: marks x => [|b marks IH] [|v x] // [hx] h hm.
have hx0 : v = 0 by case: b h hm => h hm; [apply: (hm 0%N) | apply: (h 0%N)].
case=> [|j] //=; apply: IH => // [k|k]; first exact: (h k.+1).
by case: b hm {h} => hm; [apply: (hm k.+1) | apply: hm].
Qed.
Lemma dotR_nseq0 k a x : dotR (nseq k Z0 ++ a) x = dotR a (drop k x).
Proof. by rewrite dotR_cat size_nseq dotR_zero ?add0r // all_nseq orbT. Qed.
Lemma dotR_rcons a b x t : size a = size x -> dotR (a ++ [:: b]) (rcons x t) = dotR a x + embed b * t.
Proof. by move=> h; rewrite dotR_cat h -cats1 take_size_cat // drop_size_cat //= addr0. Qed.
Lemma dots_zero ls rows x : (forall a, List.In a rows -> dotR a x = 0) -> dots ls rows x = 0.
Proof.
elim: ls rows => [|l ls IH] [|a rows] //= h; rewrite h ?mulr0 ?add0r; last by left.
by apply: IH => b hb; apply: h; right.
Qed.
Lemma dotsE ls rows x : dots ls rows x = dotR ls [seq dotR a x | a <- rows].
Proof. by elim: ls rows => [|l ls IH] [|a rows] //=; rewrite IH. Qed.
Lemma dots_opp ws rs x : dots [seq Z.opp w | w <- ws] rs x = - dots ws rs x.
Proof.
elim: ws rs => [|w ws IH] [|r rs] /=; rewrite ?oppr0 //.
by rewrite IH embed_opp; ring.
Qed.
(* a vector of integers, inside R *)
Lemma nth_embed (d : seq Z) j : nth 0 [seq embed a : R | a <- d] j = embed (nth Z0 d j).
Proof. by elim: d j => [|a d IH] [|j] //=. Qed.
End Products.
Arguments dots {R} ls rows x.
