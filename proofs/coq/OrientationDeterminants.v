(* The elimination that finds the sign of a determinant of integers (`determinant_sign`, for I12): a row is added to the first one where
   this begins with 0, and det [p, r; q, S] = p det (S - q r / p). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts Farkas ExpansionChecks OrientationGeneric OrientationChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Determinants.
Variable R : realFieldType.
Implicit Types (a r : seq Z) (m : seq (seq Z)).

(* ---------- matrices ---------- *)

(* det [p, r; q, S] = p det (S - q r / p) *)
Lemma det_pivot k (M : 'M[R]_(1 + k)) : let p := M 0 0 in p != 0 ->
  \det M = p * \det (drsubmx M - p^-1 *: (dlsubmx M *m ursubmx M)).
Proof.
move=> p p0; pose S := drsubmx M - p^-1 *: (dlsubmx M *m ursubmx M).
have ul : ulsubmx M = p%:M by apply/matrixP => i j; rewrite !ord1 !mxE eqxx mulr1n; congr (M _ _); apply: val_inj.
have eM : M = block_mx 1%:M 0 (p^-1 *: dlsubmx M) 1%:M *m block_mx p%:M (ursubmx M) 0 S.
  rewrite mulmx_block !(mul1mx, mulmx0, mul0mx, addr0) -!scalemxAl [_ + S]addrC subrK -[LHS]submxK; congr block_mx => //.
  by rewrite mul_mx_scalar scalerA mulVf // scale1r.
by rewrite {1}eM det_mulmx det_lblock !det1 !mul1r det_ublock det_scalar1.
Qed.

(* another row may be added to the first one *)
Lemma det_add_row k (M : 'M[R]_k.+1) (i : 'I_k.+1) : i != 0 ->
  \det (\matrix_(a, b) (M a b + (a == 0)%:R * M i b)) = \det M.
Proof.
move=> i0; pose u : 'cV[R]_k.+1 := delta_mx 0 0; pose v : 'rV[R]_k.+1 := delta_mx 0 i.
have -> : \matrix_(a, b) (M a b + (a == 0)%:R * M i b) = (1%:M + u *m v) *m M.
  rewrite mulmxDl mul1mx -mulmxA -rowE; apply/matrixP => a b; rewrite !mxE big_ord1 !mxE andbT; by rewrite eq_sym.
by rewrite det_mulmx det_add_rank_one ?unitmx1 // det1 invmx1 mul1mx /ev mul_delta_mx_0 // mxE addr0 !mul1r.
Qed.

(* ---------- lists of rows ---------- *)

Definition matrix_of k m : 'M[R]_k := \matrix_(i, j) embed (nth Z0 (nth [::] m i) j).

Lemma nth_add_scaled l a acc j : embed (nth Z0 (add_scaled l a acc) j) = embed (nth Z0 acc j) + embed l * embed (nth Z0 a j) :> R.
Proof.
rewrite /add_scaled; case: (Z.eqb_spec l 0) => [->|_]; first by rewrite mul0r addr0.
rewrite add_scaled_ontoE /=; elim: a acc j => [|u a IH] [|w acc] [|j] /=; rewrite ?nth_nil ?mulr0 ?addr0 ?add0r ?embedD ?embedM //.
  by case: (ltnP j (size a)) => h; [rewrite (nth_map Z0) // embedM | rewrite !nth_default ?size_map // mulr0].
Qed.

Lemma embed_sgn p : embed (Z.sgn p) = Num.sg (embed p) :> R.
Proof.
case: p => [|p|p]; [by rewrite sgr0 | by rewrite gtr0_sg //; apply: embed_gt0 |].
by rewrite ltr0_sg; [rewrite -[Z.sgn _]/(Z.opp 1) embed_opp embed1 | rewrite embed_lt0].
Qed.

Lemma det_pivot_row k a m : size m = k -> \det (matrix_of k.+1 (pivot_row a m :: m)) = \det (matrix_of k.+1 (a :: m)).
Proof.
move=> hm; rewrite /pivot_row; case: ifP => // _; case hb: List.find => [b|] //.
have [i hi eb] : exists2 i, (i < size m)%N & nth [::] m i = b by apply/In_nth; have [] := List.find_some _ _ hb.
rewrite hm in hi; rewrite -[RHS](@det_add_row _ _ (lift ord0 (Ordinal hi))) //; congr determinant.
apply/matrixP => i' j; rewrite !mxE /= eb; case: (unliftP ord0 i') => [i''|] -> /=; last by rewrite nth_add_scaled embed1.
by rewrite mul0r addr0.
Qed.

(* one step of the elimination *)
Lemma det_eliminated k p r m : size m = k -> p <> Z0 ->
  Num.sg (\det (matrix_of k.+1 ((p :: r) :: m))) = Num.sg (embed p) * Num.sg (\det (matrix_of k (tmap (eliminated p r) m))).
Proof.
move=> hm p0; have {}p0 : embed p != 0 :> R by rewrite embed_eq0; case: Z.eqb_spec.
rewrite det_pivot ?mxE //= sgrM; congr (_ * _); set S := _ - _.
have -> : matrix_of k (tmap (eliminated p r) m) = `|embed p| *: S.
  apply/matrixP => i j; rewrite tmapE !mxE big_ord1 !mxE (nth_map [::]) ?hm // /eliminated nth_add_scaled embed_opp embedM embed_sgn /=.
  have tlE (a : seq Z) c : nth Z0 (tmap (Z.mul c) (List.tl a)) j = Z.mul c (nth Z0 a j.+1).
    rewrite tmapE; case: a => [|u a] /=; first by rewrite nth_nil Z.mul_0_r.
    by case: (ltnP j (size a)) => h; [rewrite (nth_map Z0) | rewrite !nth_default ?size_map // Z.mul_0_r].
  have hdE (a : seq Z) : List.hd Z0 a = nth Z0 a 0 by case: a.
  rewrite tlE hdE embedM embed_abs normrEsg add1n /=.
  move: p0 (Num.sg _) (embed (nth Z0 r j)) (embed (nth Z0 _ 0)) (embed (nth Z0 _ j.+1)); move: (embed p) => q q0 s x y z.
  by field.
by rewrite detZ sgrM sgrX [Num.sg `|_|]gtr0_sg ?normr_gt0 // expr1n mul1r.
Qed.

Lemma det_without_factor k f m : Z.lt 0 f -> size m = k ->
  size (without_factor f m) = k /\ Num.sg (\det (matrix_of k (without_factor f m))) = Num.sg (\det (matrix_of k m)).
Proof.
move=> /(embed_gt0 R) f0 hm; rewrite /without_factor; case: ifP => // he; rewrite tmapE size_map; split=> //.
rewrite (_ : matrix_of k m = embed f *: matrix_of k [seq tmap (Z.div^~ f) r | r <- m]).
  by rewrite detZ sgrM sgrX [Num.sg (embed f)]gtr0_sg // expr1n mul1r.
apply/matrixP => i j; rewrite !mxE (nth_map [::]) ?hm // tmapE -embedM; congr embed.
move: he; rewrite tmap2E forallbE tmapE zip_with_image -map_comp all_map => /all_In/(_ (nth [::] m i)).
have hi : List.In (nth [::] m i) m by apply: nth_In; rewrite hm.
move=> /(_ hi) /=; rewrite forallbE tmap2E tmapE zip_with_image -map_comp all_map => /all_In hr.
have [hj|hj] := ltnP j (size (nth [::] m i)); last first.
  by rewrite [LHS]nth_default // [nth _ [seq _ | _ <- _] _]nth_default ?size_map // Z.mul_0_r.
by rewrite (nth_map Z0) //; apply/Z.eqb_eq/(hr _ (nth_In Z0 hj)).
Qed.

(* I12: the sign that is found, if it is not 0, is that of the determinant. *)
Theorem determinant_sign_sound k before m : Z.lt 0 before -> size m = k -> determinant_sign k before m <> Z0 ->
  Num.sg (\det (matrix_of k m)) = embed (determinant_sign k before m).
Proof.
elim: k before m => [|k IH] before [|a m] //= hb; first by rewrite det_mx00 sgr1.
move=> [hm]; rewrite -(det_pivot_row a hm); case: pivot_row => [|p r] //; case: Z.eqb_spec => // p0 h.
have [h1 h2] := det_without_factor hb (etrans (congr1 size (tmapE (eliminated p r) m)) (etrans (size_map _ _) hm)).
rewrite det_eliminated // -h2 (IH (Z.abs p)) // ?embedM ?embed_sgn //; first by lia.
by move=> z; apply: h; rewrite z Z.mul_0_r.
Qed.
End Determinants.
