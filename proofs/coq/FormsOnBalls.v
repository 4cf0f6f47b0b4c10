(* Affine forms on balls (in the maximum norm): finitely many forms that are positive at a point are so nearby, and a form that is not
   negative on a ball is positive inside it, or 0 (R3).  A form is the list b, a1, .., an of integers, and stands for x |-> b + a.x. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts RegionClaims.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Forms.
Variable R : realFieldType.
Implicit Types (x y : seq R) (f : seq Z) (cell : seq (seq Z)).

Definition value f x : R := dotR f (1 :: x).
Definition in_cell cell x := forall r, List.In r cell -> 0 <= value r x.

Variable n : nat.
Notation near := (near n).

(* ---------- balls ---------- *)

Lemma near_self e x : 0 < e -> size x = n -> near e x x.
Proof. by move=> e0 hx; split=> // j _; rewrite subrr normr0. Qed.
Lemma near_near e x y z : near (e / 2%:R) x y -> near (e / 2%:R) y z -> near e x z.
Proof.
move=> [_ hy] [sz hz]; split=> // j hj; rewrite -(subrKA (nth 0 y j)).
apply: le_lt_trans (ler_norm_add _ _) _; by rewrite [X in _ < X](splitr e); apply: ltr_add; [apply: hz | apply: hy].
Qed.

(* a ball around x lies in the cell *)
Definition inside cell x := exists2 e, 0 < e & forall y, near e x y -> in_cell cell y.
Lemma inside_near cell e x : 0 < e -> (forall y, near e x y -> in_cell cell y) -> forall y, near (e / 2%:R) x y -> inside cell y.
Proof. by move=> e0 h y hy; exists (e / 2%:R) => [|z /(near_near hy)/h]; rewrite ?divr_gt0 ?ltr0n. Qed.
Lemma inside_in cell x : size x = n -> inside cell x -> in_cell cell x.
Proof. by move=> hx [e e0 h]; apply/h/near_self. Qed.

Lemma value_near f e x y : size x = n -> 0 < e -> near e x y -> `|value f y - value f x| <= embed (sum_abs f) * e.
Proof.
move=> hx e0 [hy h]; rewrite /value; case: f => [|b f] /=.
  by rewrite subrr normr0 mulr_ge0 ?(ltW e0) //; apply: embed_ge0.
rewrite !mulr1 opprD addrACA subrr add0r sum_abs_cons embedD mulrDl embed_abs.
apply: (@le_trans _ _ (embed (sum_abs f) * e)); last by rewrite ler_addr mulr_ge0 // ltW.
elim: n f x y hx hy h => [|m IH] [|a f] [|u x] [|v y] //= hx hy h; rewrite ?subrr ?normr0 ?mulr_ge0 ?(ltW e0) //;
  try by apply: embed_ge0; exact: sum_abs_ge0.
case: hx hy => hx [hy]; rewrite opprD addrACA -mulrBr sum_abs_cons embedD mulrDl embed_abs.
apply: le_trans (ler_norm_add _ _) _; apply: ler_add; last by apply: IH => // j hj; apply: (h j.+1).
by rewrite normrM ler_wpmul2l // ltW // (h 0%N).
Qed.

(* Where finitely many forms are positive, they are so nearby. *)
Lemma positive_near cell x : size x = n -> (forall r, List.In r cell -> 0 < value r x) -> inside cell x.
Proof.
move=> hx; elim: cell => [|r cell IH] h; first by exists 1 => [|y _ r []]; rewrite ?ltr01.
have [|e e0 he] := IH; first by move=> r' hr; apply: h; right.
have hr : 0 < value r x by apply: h; left.
have s0 : 0 < embed (sum_abs r) + 1 :> R by rewrite ltr_spaddr ?ltr01 //; apply: embed_ge0; exact: sum_abs_ge0.
set d := value r x / (embed (sum_abs r) + 1); have d0 : 0 < d by rewrite divr_gt0.
exists (Num.min e d) => [|y [sy hy]]; first by rewrite lt_minr e0.
have hye : near e x y by split=> // j /hy; rewrite lt_minr => /andP[].
have hyd : near d x y by split=> // j /hy; rewrite lt_minr => /andP[].
move=> r' [<-|/(he _ hye)] //; have := value_near r hx d0 hyd; rewrite ler_norml => /andP[+ _].
rewrite ler_subr_addr; apply: le_trans; rewrite addrC subr_ge0 /d mulrCA -[X in _ <= X]mulr1 ler_wpmul2l ?(ltW hr) //.
by rewrite ler_pdivr_mulr // mul1r ler_addl ler01.
Qed.

(* R3: a form that is not negative on a ball is positive inside, or 0. *)
Lemma positive_inside f cell x : size f = n.+1 -> size x = n -> ~~ is_zero f ->
  (forall y, size y = n -> in_cell cell y -> 0 <= value f y) -> inside cell x -> 0 < value f x.
Proof.
move=> hf hx hz hpos [e e0 he]; have ge0 y : near e x y -> 0 <= value f y.
  by move=> hy; apply: hpos; [case: hy | apply: he].
rewrite lt_neqAle ge0 ?andbT; last exact: near_self.
apply/eqP => /esym h0; case/negP: hz; case: f hf hpos h0 ge0 => [|b a] // [ha] _ h0 ge0.
have move_to j t : (j < n)%N -> `|t| < e -> 0 <= embed (nth Z0 a j) * t.
  move=> hj ht; pose y := [seq nth 0 x i + (if i == j then t else 0) | i <- iota 0 n].
  have sy : size y = n by rewrite size_map size_iota.
  have ny i : (i < n)%N -> nth 0 y i = nth 0 x i + (if i == j then t else 0).
    by move=> hi; rewrite (nth_map 0%N) ?size_iota // nth_iota // add0n.
  have hy : near e x y.
    by split=> // i hi; rewrite ny // addrAC subrr add0r; case: ifP => // _; rewrite normr0.
  suff h : value (b :: a) y - value (b :: a) x = embed (nth Z0 a j) * t by rewrite -h h0 subr0 ge0.
  rewrite /value /= opprD addrACA subrr add0r.
  rewrite (@dotR_sum _ n _ y) // (@dotR_sum _ n _ x) // -sumrB (bigD1 (Ordinal hj)) //= ny // eqxx.
  rewrite big1 => [|i /negP ij]; last first.
    rewrite ny //; case: eqP => [hij|_]; last by rewrite addr0 subrr.
    by case: ij; apply/eqP/val_inj.
  by rewrite addr0 mulrDr addrAC subrr add0r.
have a0 j : (j < n)%N -> nth Z0 a j = Z0.
  move=> hj; have t0 : 0 < e / 2%:R by rewrite divr_gt0 ?ltr0n.
  have te : e / 2%:R < e by rewrite [X in _ < X](splitr e) ltr_addl.
  have h1 := move_to j (e / 2%:R) hj; rewrite gtr0_norm // pmulr_lge0 // in h1.
  have h2 := move_to j (- (e / 2%:R)) hj; rewrite normrN gtr0_norm // mulrN oppr_ge0 pmulr_lle0 // in h2.
  by apply/Z.eqb_eq; rewrite -(embed_eq0 R) eq_le h1 // h2.
have za : all (Z.eqb Z0) a.
  by apply/(all_nthP Z0) => j; rewrite ha => /a0 ->.
rewrite is_zeroE /= za andbT; move: h0; rewrite /value /= mulr1 dotR_zero // addr0 => /eqP; rewrite embed_eq0.
by move=> /Z.eqb_eq ->.
Qed.
End Forms.
