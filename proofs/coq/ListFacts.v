(* Facts about lists that know nothing of numbers: membership, entries by their place, marks (`mask marks l` keeps the elements
   of l that are marked), pairs of lists.  The executable files use the lists of Coq's library, the proofs those of mathcomp; the
   first section says that the operations agree. *)
From Coq Require Import List Arith.
From mathcomp Require Import all_ssreflect.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.

(* ---------- the operations of Coq's library are those of mathcomp ---------- *)

Lemma nat_eqb a b : Nat.eqb a b = (a == b).
Proof. by apply/PeanoNat.Nat.eqb_spec/eqP. Qed.
Lemma rev_append_cat (A : Type) (l m : seq A) : List.rev_append l m = rev l ++ m.
Proof. by elim: l m => [|a l IH] m //=; rewrite IH rev_cons cat_rcons. Qed.
Lemma forallbE (A : Type) (p : A -> bool) l : List.forallb p l = all p l.
Proof. by elim: l => //= a l ->. Qed.
Lemma existsbE (A : Type) (p : A -> bool) l : List.existsb p l = has p l.
Proof. by elim: l => //= a l ->. Qed.
Lemma fold_leftE (A B : Type) (f : A -> B -> A) l a : List.fold_left f l a = foldl f a l.
Proof. by elim: l a => //= b l IH a; rewrite IH. Qed.
Lemma nthE (A : Type) (d : A) l j : List.nth j l d = nth d l j.
Proof. by elim: l j => [|a l IH] [|j] //=. Qed.
Lemma InP (T : eqType) (a : T) l : reflect (List.In a l) (a \in l).
Proof.
elim: l => [|b l IH] /=; first by rewrite in_nil; constructor.
rewrite inE; apply: (iffP orP) => [[/eqP ->|/IH]|[->|/IH]]; auto.
Qed.
Lemma all_In (A : Type) (p : A -> bool) l : all p l <-> forall a, List.In a l -> p a.
Proof.
elim: l => [|b l IH] //=; split=> [/andP[hb /IH hl] a [<-|/hl] //|h].
by rewrite h /=; [apply/IH => a ha; apply: h; right | left].
Qed.

(* ---------- membership ---------- *)

Lemma nth_In (A : Type) (d : A) l i : (i < size l)%N -> List.In (nth d l i) l.
Proof. by elim: l i => // a l IH [|i] h; [left | right; apply: IH]. Qed.
Lemma In_nth (A : Type) (d : A) l a : List.In a l <-> exists2 i, (i < size l)%N & nth d l i = a.
Proof.
split=> [|[i hi <-]]; last exact: nth_In.
by elim: l => [|b l IH] //= [->|/IH[i hi <-]]; [exists 0%N | exists i.+1].
Qed.
Lemma In_map (A B : Type) (f : A -> B) l b : List.In b [seq f a | a <- l] -> exists2 a, List.In a l & b = f a.
Proof. by elim: l => //= a l IH [<-|/IH[a' h ->]]; [exists a; auto | exists a'; auto]. Qed.
Lemma map_In (A B : Type) (f : A -> B) l a : List.In a l -> List.In (f a) [seq f a | a <- l].
Proof. by elim: l => //= a' l IH [->|/IH]; auto. Qed.
Lemma In_map_iff (A B : Type) (f : A -> B) l b : List.In b [seq f a | a <- l] <-> exists2 a, List.In a l & b = f a.
Proof. by split=> [h|[a ha ->]]; [apply: In_map | apply: map_In]. Qed.
Lemma In_cat (A : Type) (a : A) l m : List.In a (l ++ m) <-> List.In a l \/ List.In a m.
Proof. by elim: l => [|b l IH] /=; [split; [right | case] | rewrite IH; tauto]. Qed.
Lemma In_filter (A : Type) (p : A -> bool) l a : List.In a [seq b <- l | p b] <-> List.In a l /\ p a.
Proof. exact: List.filter_In. Qed.
Lemma In_iota n j : List.In j (iota 0 n) <-> (j < n)%N.
Proof.
split=> [h|h]; first by have := introT (@InP _ j _) h; rewrite mem_iota.
by apply/InP; rewrite mem_iota.
Qed.

(* Maps and filters depend on the values at the elements alone. *)
Lemma eq_map_In (A B : Type) (f g : A -> B) l : [seq f a | a <- l] = [seq g a | a <- l] <-> forall a, List.In a l -> f a = g a.
Proof.
elim: l => //= b l [IH1 IH2]; split=> [[h /IH1 hs] a [<-|/hs]|h] //.
by rewrite (h b) ?IH2 //; [move=> a ha; apply: h; right | left].
Qed.
Lemma eq_filter_In (A : Type) (p q : A -> bool) l : (forall a, List.In a l -> p a = q a) -> [seq a <- l | p a] = [seq a <- l | q a].
Proof. by elim: l => //= a l IH h; rewrite h ?IH //; [move=> b hb; apply: h; right | left]. Qed.

(* ---------- marks ---------- *)

Lemma In_mask (A : Type) (a : A) marks l : List.In a (mask marks l) -> List.In a l.
Proof. by elim: marks l => [|[] marks IH] [|b l] //=; [case=> [->|/IH]; auto | move/IH; auto]. Qed.
Lemma In_mask_nth (A : Type) (d : A) marks l a : List.In a (mask marks l) ->
  exists i, [/\ (i < size l)%N, (i < size marks)%N & a = nth d l i /\ nth false marks i].
Proof.
elim: marks l => [|b marks IH] [|c l] //=; case: b => /= [[<-|]|] //; first by exists 0%N.
all: by move/IH=> [i [? ? ?]]; exists i.+1.
Qed.
Lemma nth_In_mask (A : Type) marks l (d a : A) i : (i < size l)%N -> nth false marks i -> nth d l i = a -> List.In a (mask marks l).
Proof.
elim: l marks i => [|c l IH] [|b marks] [|i] //= hi; first by move=> -> ->; left.
by move=> h1 h2; have := IH _ _ hi h1 h2; case: b => //=; right.
Qed.
(* An element is marked or not. *)
Lemma In_mask_or (A : Type) marks l (a : A) : size marks = size l -> List.In a l ->
  List.In a (mask marks l) \/ List.In a (mask [seq ~~ b | b <- marks] l).
Proof.
elim: marks l => [|b marks IH] [|c l] //= [hs] [->|h]; first by case: b => /=; [left | right]; left.
by have [h'|h'] := IH _ hs h; case: b => /=; [left; right | left | right | right; right].
Qed.
(* Element i of those that are marked stands at place i of the marked places. *)
Lemma nth_mask (A : Type) (d : A) marks l i : size marks = size l -> (i < count id marks)%N ->
  nth d (mask marks l) i = nth d l (nth 0%N (mask marks (iota 0 (size l))) i).
Proof.
move=> hs hi; rewrite -{1}(mkseq_nth d l) /mkseq -map_mask (nth_map 0%N) //.
by rewrite size_mask ?size_iota.
Qed.
Lemma mem_mask_iota marks j : (j \in mask marks (iota 0 (size marks))) = nth false marks j.
Proof.
have [hj|hj] := ltnP j (size marks); last first.
  by rewrite nth_default //; apply/negP => /mem_mask; rewrite mem_iota add0n /= ltnNge hj.
by rewrite -{1}(mkseq_nth false marks) /mkseq -filter_mask mem_filter mem_iota /= add0n hj andbT.
Qed.
(* An entry of l whose mark is set is an entry of what the marks select. *)
Lemma nth_map_mask (A B : Type) (p : A -> bool) (a : A) (b : B) places l j : size l = size places ->
  p (nth a places j) -> (j < size l)%N ->
  exists2 i, (i < size (mask [seq p s | s <- places] l))%N & nth b l j = nth b (mask [seq p s | s <- places] l) i.
Proof.
elim: places l j => [|s places IH] [|v l] [|j] //= [e]; first by move=> ->; exists 0%N.
by move=> hp hj; have [i hi ->] := IH l j e hp hj; case: (p s) => /=; [exists i.+1 | exists i].
Qed.

(* ---------- pairs of lists ---------- *)

Lemma In_zip (A B : Type) (l : seq A) (m : seq B) ab : List.In ab (zip l m) -> List.In ab.1 l /\ List.In ab.2 m.
Proof. by elim: l m => [|a l IH] [|b m] //= [<-|/IH[]]; auto. Qed.
Lemma In_zip_nth (A B : Type) (da : A) (db : B) l m a b : List.In (a, b) (zip l m) ->
  exists j, [/\ (j < size l)%N, (j < size m)%N, a = nth da l j & b = nth db m j].
Proof. by elim: l m => [|a' l IH] [|b' m] //= [[<- <-]|/IH[j [? ? ? ?]]]; [exists 0%N | exists j.+1]. Qed.
Lemma zip_In_nth (A B : Type) (da : A) (db : B) l m j : (j < size l)%N -> (j < size m)%N ->
  List.In (nth da l j, nth db m j) (zip l m).
Proof. by elim: l m j => [|a l IH] [|b m] [|j] //= h1 h2; [left | right; apply: IH]. Qed.

Lemma zip_map_left (A B C : Type) (f : A -> C) (l : seq A) (m : seq B) :
  zip [seq f a | a <- l] m = [seq (f ab.1, ab.2) | ab <- zip l m].
Proof. by elim: l m => [|a l IH] [|b m] //=; rewrite IH. Qed.
Lemma zip_map_right (A B C : Type) (f : A -> C) (l : seq A) (m : seq B) :
  zip m [seq f a | a <- l] = [seq (ab.1, f ab.2) | ab <- zip m l].
Proof. by elim: l m => [|a l IH] [|b m] //=; rewrite IH. Qed.
Lemma zip_with_image (A B : Type) (f : A -> B) l : zip l [seq f a | a <- l] = [seq (a, f a) | a <- l].
Proof. by elim: l => //= a l ->. Qed.
Lemma zip_zip_with_image (A B C : Type) (f : A -> C) (l : seq A) (m : seq B) :
  zip (zip l m) [seq f a | a <- l] = [seq (ab, f ab.1) | ab <- zip l m].
Proof. by elim: l m => [|a l IH] [|b m] //=; rewrite IH. Qed.

(* Three parallel lists: f of the first two is g of the third, place by place. *)
Lemma zip3_equal (A B C T : Type) (f : A * B -> T) (g : C -> T) rows marks values a b c :
  [seq f rb | rb <- zip rows marks] = [seq g v | v <- values] -> List.In (a, (c, b)) (zip rows (zip values marks)) -> f (a, b) = g c.
Proof.
elim: rows marks values => [|r rows IH] [|m marks] [|v values] //= [e /IH h] [[<- <- <-]|/h]; [exact: e | exact: id].
Qed.
Lemma zip3_nth (A B C T : Type) (f : A * B -> T) (g : C -> T) rows marks values i b c :
  [seq f rb | rb <- zip rows marks] = [seq g v | v <- values] -> List.nth_error values i = Some c -> List.nth_error marks i = Some b ->
  exists a, List.In (a, (c, b)) (zip rows (zip values marks)).
Proof.
elim: rows marks values i => [|r rows IH] [|m marks] [|v values] [|i] //=; first by move=> _ [->] [->]; exists r; left.
by move=> [_ h] hv hm; have [a ha] := IH _ _ _ h hv hm; exists a; right.
Qed.
