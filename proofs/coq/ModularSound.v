(* C7: a block with an inverse modulo q is regular, over every ordered field: its determinant is a unit modulo q, and so not 0.
   The rows may be divided by powers of two first. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import ProductSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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

Section ModularSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Type x : seq R.

(* ---------- an inverse modulo q ---------- *)

(* C7: a block with an inverse modulo q > 1: it is square, and only 0 is orthogonal to its rows, over every ordered field. *)
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
  by apply: nth_In; rewrite sb.
have detB : \det B != 0.
  apply/eqP => d0; have := congr1 determinant LB; rewrite det_mulmx det1 det_map_mx d0 rmorph0 mulr0.
  by move/eqP; rewrite eq_sym oner_eq0.
pose BR := map_mx (intmul 1) B : 'M[R]_n.
have uB : BR \in unitmx by rewrite unitmxE det_map_mx unitfE intr_eq0.
pose X := \col_(j < n) nth 0 x j.
have BX : BR *m X = 0.
  apply/colP => i; rewrite !mxE -[RHS](hx (nth [::] block i)); last by apply: nth_In; rewrite sb.
  by rewrite (dotR_sum _ sx); apply: eq_bigr => j _; rewrite !mxE embed_int.
have X0 : X = 0 by rewrite -[X](mulKmx uB) BX mulmx0.
move=> j; case: (ltnP j n) => hj; last by rewrite nth_default // sx.
by have := congr1 (fun M : 'cV_n => M (Ordinal hj) 0) X0; rewrite !mxE.
Qed.

(* ---------- rows without their common powers of two ---------- *)

(* Dividing a row keeps what it is orthogonal to, and its length. *)
Lemma divided_sound a q x : dotR a x = 0 -> dotR (divided a q) x = 0.
Proof.
rewrite /divided; case: ifP => // hq e; case: (Z.eq_dec q 0) => q0.
  by rewrite q0 tmapE; apply: dotR_zero; rewrite all_map; elim: (a) => //= u b ->; rewrite Zdiv_0_r.
have : embed q * dotR (tmap (fun u => Z.div u q) a) x = 0 :> R.
  rewrite -dotR_scale -[RHS]e tmapE -map_comp; congr dotR.
  elim: a hq {e} => //= u a IH /andP[/Z.eqb_eq hu /IH ->]; congr (_ :: _) => /=.
  by have := Z.div_mod u q q0; rewrite hu; lia.
by move/eqP; rewrite mulf_eq0 embed_eq0; case/orP=> [|/eqP //]; lia.
Qed.
Lemma size_divided a q : size (divided a q) = size a.
Proof. by rewrite /divided; case: ifP => // _; rewrite tmapE size_map. Qed.
Lemma odd_row_sound a x : dotR a x = 0 -> dotR (odd_row a) x = 0.
Proof.
by rewrite /odd_row fold_leftE; case: ifP => // _; elim: powers_of_two a => //= k ks IH a e; apply: IH; apply: divided_sound.
Qed.
Lemma size_odd_row a : size (odd_row a) = size a.
Proof.
by rewrite /odd_row fold_leftE; case: ifP => // _; elim: powers_of_two a => //= k ks IH a; rewrite IH size_divided.
Qed.
End ModularSound.
