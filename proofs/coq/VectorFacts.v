(* The executable operations of Vectors.v are the mathematical ones: maps, products with a vector of R, digits of a number. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.

(* ---------- lists ---------- *)

Lemma rev_append_cat (A : Type) (l m : seq A) : List.rev_append l m = rev l ++ m.
Proof. by elim: l m => [|a l IH] m //=; rewrite IH rev_cons cat_rcons. Qed.

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

Lemma forallbE (A : Type) (p : A -> bool) l : List.forallb p l = all p l.
Proof. by elim: l => //= a l ->. Qed.
Lemma existsbE (A : Type) (p : A -> bool) l : List.existsb p l = has p l.
Proof. by elim: l => //= a l ->. Qed.
Lemma fold_leftE (A B : Type) (f : A -> B -> A) l a : List.fold_left f l a = foldl f a l.
Proof. by elim: l a => //= b l IH a; rewrite IH. Qed.
Lemma nthE (A : Type) (d : A) l j : List.nth j l d = nth d l j.
Proof. by elim: l j => [|a l IH] [|j] //=. Qed.
Lemma is_zeroE a : is_zero a = all (Z.eqb Z0) a.
Proof. exact: forallbE. Qed.
Lemma InP (T : eqType) (a : T) l : reflect (List.In a l) (a \in l).
Proof.
elim: l => [|b l IH] /=; first by rewrite in_nil; constructor.
rewrite inE; apply: (iffP orP) => [[/eqP ->|/IH]|[->|/IH]]; auto.
Qed.
Lemma In_map (A B : Type) (f : A -> B) l b : List.In b [seq f a | a <- l] -> exists2 a, List.In a l & b = f a.
Proof. by elim: l => //= a l IH [<-|/IH[a' h ->]]; [exists a; auto | exists a'; auto]. Qed.
Lemma map_In (A B : Type) (f : A -> B) l a : List.In a l -> List.In (f a) [seq f a | a <- l].
Proof. by elim: l => //= a' l IH [->|/IH]; auto. Qed.
Lemma In_cat (A : Type) (a : A) l m : List.In a (l ++ m) <-> List.In a l \/ List.In a m.
Proof. by elim: l => [|b l IH] /=; [split; [right | case] | rewrite IH; tauto]. Qed.
Lemma In_mask (A : Type) (a : A) marks l : List.In a (mask marks l) -> List.In a l.
Proof. by elim: marks l => [|[] marks IH] [|b l] //=; [case=> [->|/IH]; auto | move/IH; auto]. Qed.
Lemma all_In (A : Type) (p : A -> bool) l : all p l <-> forall a, List.In a l -> p a.
Proof.
elim: l => [|b l IH] //=; split=> [/andP[hb /IH hl] a [<-|/hl] //|h].
by rewrite h /=; [apply/IH => a ha; apply: h; right | left].
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
Lemma max_abs_ge0 a : Z.le 0 (max_abs a). Proof. by case: (max_abs_from Z0 a). Qed.
Lemma max_abs_ge a u : List.In u a -> Z.le (Z.abs u) (max_abs a).
Proof. by case: (max_abs_from Z0 a) => _; apply. Qed.

(* ---------- packing ---------- *)

Lemma hornerE B l : horner B l = foldr (fun a s => Z.add a (Z.mul B s)) Z0 l.
Proof. by elim: l => //= a l ->. Qed.
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
Lemma dotR_take a x : dotR a (take (size a) x) = dotR a x.
Proof. by elim: a x => [|u a IH] [|v x] //=; rewrite IH. Qed.

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
End Products.
Arguments dots {R} ls rows x.
