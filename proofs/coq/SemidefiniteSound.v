(* I6: a symmetric matrix of integers that passes the elimination has a form x^T M x that is nowhere negative: p times the form is a square
   plus the form of p times the Schur complement of the pivot p > 0. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts InjectivityClaims.
From ExactRelu Require Import Systems Checker ExpansionChecks ConvexDomains.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Semidefinite.
Variable R : realFieldType.
Implicit Types (x : seq R) (a : seq Z) (m : symmetric).

(* every row goes from the diagonal to the last column *)
Fixpoint triangular m : Prop := if m is r :: m' then size r = (size m').+1 /\ triangular m' else True.
(* x^T M x *)
Fixpoint form m x : R :=
  match m, x with (p :: r) :: m', v :: x' => embed p * v ^+ 2 + (v * dotR r x') *+ 2 + form m' x' | _, _ => 0 end.

Lemma dotR_plus (f u : Z) a (r : seq Z) x : size a = size r ->
  dotR (tmap2 (fun v w => Z.add w (Z.mul (Z.mul f u) v)) a r) x = dotR r x + embed f * embed u * dotR a x.
Proof.
rewrite tmap2E; elim: a r x => [|v a IH] [|w r] [|y x] //= => [_|_|_|[hs]]; rewrite ?mulr0 ?addr0 //.
by rewrite IH // embedD !embedM; ring.
Qed.
Lemma add_squareE f u a p r m : add_square f (u :: a) ((p :: r) :: m) =
  (Z.add p (Z.mul (Z.mul f u) u) :: tmap2 (fun v w => Z.add w (Z.mul (Z.mul f u) v)) a r) :: add_square f a m.
Proof. by rewrite /= !tmap2E. Qed.

Lemma triangular_add_square f a m : size a = size m -> triangular m ->
  triangular (add_square f a m) /\ size (add_square f a m) = size m.
Proof.
elim: m a => [|[|p r] m IH] [|u a] // [hs] [// [hr] /(IH a hs)[h1 h2]].
by rewrite add_squareE /= h2; split=> //; split=> //; rewrite (size_tmap2 _ (n := size m)).
Qed.
(* Adding f a^T a adds f times the square of a.x. *)
Lemma form_add_square f a m x : triangular m -> size a = size m -> size x = size m ->
  form (add_square f a m) x = form m x + embed f * dotR a x ^+ 2.
Proof.
elim: m a x => [|[|p r] m IH] [|u a] [|v x] // => [_ _ _|[] //|[// [hr] hm] [ha] [hx]]; first by rewrite /= expr0n mulr0 addr0.
rewrite add_squareE [LHS]/= IH // dotR_plus ?ha // embedD !embedM /=.
by move: (dotR r x) (dotR a x) (form m x) (embed p) (embed f) (embed u) => s t w c d e; ring.
Qed.

Lemma form_scaled f m x : form (scaled f m) x = embed f * form m x.
Proof.
rewrite /scaled tmapE; elim: m x => [|r m IH] x /=; first by rewrite mulr0.
rewrite tmapE; case: r x => [|p r] [|v x] /=; rewrite ?mulr0 // IH dotR_scale embedM.
by move: (dotR r x) (form m x) (embed p) (embed f) => s w c d; ring.
Qed.
Lemma triangular_scaled f m : triangular m -> triangular (scaled f m) /\ size (scaled f m) = size m.
Proof.
rewrite /scaled tmapE; elim: m => [|r m IH] //= [hr /IH[h1 h2]].
by rewrite h2 tmapE size_map; split=> //; split=> //; rewrite size_map.
Qed.

Lemma triangular_without_factor f m : triangular m -> triangular (without_factor f m) /\ size (without_factor f m) = size m.
Proof.
rewrite /without_factor tmapE; case: ifP => // _; elim: m => [|r m IH] //= [hr /IH[h1 h2]].
by rewrite h2 tmapE !size_map.
Qed.
Lemma form_without_factor f m x : Z.lt 0 f -> exists2 c, 0 < c & form m x = c * form (without_factor f m) x.
Proof.
move=> /(embed_gt0 R) f0; rewrite /without_factor; case: ifP => [he|_]; last by exists 1; rewrite ?ltr01 ?mul1r.
exists (embed f) => //; rewrite -form_scaled; congr form.
move: he; rewrite /scaled tmap2E forallbE !tmapE; elim: m => [|r m IH] //= /andP[hr /IH {1}->]; congr (_ :: _).
move: hr; rewrite !tmapE tmap2E forallbE; elim: r => [|u r IHr] //= /andP[/Z.eqb_eq hu /IHr {1}->].
by rewrite {1}hu.
Qed.
Lemma without_factor_ge0 f m x : Z.lt 0 f -> 0 <= form (without_factor f m) x -> 0 <= form m x.
Proof. by move=> /(form_without_factor m x)[c c0 ->] h; rewrite mulr_ge0 // ltW. Qed.

(* I6: the form of a matrix that passes is nowhere negative. *)
Theorem semidefinite_sound steps before m x : Z.lt 0 before -> triangular m -> size x = size m ->
  semidefinite steps before m -> 0 <= form m x.
Proof.
elim: steps before m x => [|steps IH] before [|[|p r] m] [|v x] // hb [// [hr] hm] [hx].
rewrite [semidefinite _ _ _]/=; case: Z.eqb_spec => [->|p0].
  rewrite is_zeroE => /andP[hz /(IH _ _ _ hb hm hx) h] /=; rewrite dotR_zero // mulr0 mul0rn addr0.
  by rewrite (_ : embed Z0 = 0) // mul0r add0r.
case/andP=> /Z.ltb_lt pp hs; have ep := embed_gt0 R pp.
have [hm1 s1] := triangular_scaled p hm; have ha : size r = size (scaled p m) by rewrite s1.
have [hm2 s2] := triangular_add_square (Zneg xH) ha hm1; have [hm3 s3] := triangular_without_factor before hm2.
have /(without_factor_ge0 hb) : 0 <= form (without_factor before (add_square (Zneg xH) r (scaled p m))) x.
  by apply: IH hs => //; rewrite s3 s2 s1.
rewrite form_add_square ?form_scaled ?s1 // => h /=; rewrite -(pmulr_rge0 _ ep).
have -> : embed p * (embed p * v ^+ 2 + (v * dotR r x) *+ 2 + form m x) =
    (embed p * v + dotR r x) ^+ 2 + (embed p * form m x + embed (Zneg xH) * dotR r x ^+ 2).
  have -> : embed (Zneg xH) = -1 :> R by [].
  by move: (dotR r x) (form m x) (embed p) => s w c; ring.
by rewrite addr_ge0 ?sqr_ge0.
Qed.

Lemma triangular_diagonal f k : triangular (diagonal f k) /\ size (diagonal f k) = k.
Proof. by elim: k => //= k [h1 h2]; rewrite h2 zerosE size_nseq. Qed.
Lemma form_diagonal f x : form (diagonal f (size x)) x = embed f * squared_length x.
Proof.
elim: x => [|v x IH] /=; first by rewrite squared_length_nil mulr0.
by rewrite IH dotR_zeros mulr0 mul0rn addr0 squared_length_cons mulrDr.
Qed.
End Semidefinite.
