(* C7: rows that only 0 is orthogonal to modulo q have only 0 orthogonal to them over every ordered field.  If there were another vector,
   there would be one of integers; it would be 0 modulo q, and so would what is left of it after any number of divisions by q.
   The two eliminations of Echelon.v find this out modulo q. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Vectors Integers ListFacts VectorFacts ApproximateInverse Echelon.
From ExactRelu Require Import ModularSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Products.
Variable A : comRingType.
Implicit Types (a v : seq Z) (x : seq A).
Lemma dotR_zero_vector a x : (forall j, nth 0 x j = 0) -> dotR a x = 0.
Proof.
elim: a x => [|u a IH] [|t x] //= h; rewrite (h 0%N : t = 0) mulr0 add0r; apply: IH => j; exact: (h j.+1).
Qed.
Lemma dotR_map (f : Z -> Z) (c : A) a x : (forall u, embed (f u) = c * embed u :> A) -> dotR [seq f u | u <- a] x = c * dotR a x.
Proof. by move=> h; elim: a x => [|u a IH] [|t x] //=; rewrite ?mulr0 // IH h mulrDr mulrA. Qed.
Lemma dotR_tmap2 (f : Z -> Z -> Z) (b c : A) a v x : (forall s t, embed (f s t) = b * embed s - c * embed t :> A) -> size a = size v ->
  dotR (tmap2 f a v) x = b * dotR a x - c * dotR v x.
Proof.
move=> h; rewrite tmap2E; elim: a v x => [|s a IH] [|t v] [|y x] //= => [_|_|_|[e]]; rewrite ?mulr0 ?subr0 //.
by rewrite IH // h; ring.
Qed.
Lemma combined_before (w u y d c e : A) : w * u * y + (w * d - c * e) = w * (u * y + d) - c * e. Proof. ring. Qed.
Lemma combined_after (w u y d e : A) : w * d - u * e = w * (u * y + d) - u * (w * y + e). Proof. ring. Qed.
End Products.

(* ---------- from modulo q to an ordered field ---------- *)

Section FromModulo.
Variables (k n : nat).
Notation Zq := 'Z_k.+2.
Let q := Z.of_nat k.+2.

(* modulo q, only 0 is orthogonal to the rows *)
Definition full_rank_modulo (rows : seq (seq Z)) : Prop :=
  forall x : seq Zq, size x = n -> (forall a, List.In a rows -> dotR a x = 0) -> forall j, nth 0 x j = 0.

(* a vector of integers that is orthogonal to the rows: its entries can be divided by q again and again *)
Lemma integers_zero rows : full_rank_modulo rows -> forall bound (x : seq Z), size x = n ->
  (forall j, Z.le (Z.abs (nth Z0 x j)) (Z.of_nat bound)) -> (forall a, List.In a rows -> dot a x = Z0) -> forall j, nth Z0 x j = Z0.
Proof.
move=> hfull; elim=> [|bound IH] x sx hb hx; first by move=> j; have := hb j; lia.
have x0 : forall j, Z.modulo (nth Z0 x j) q = Z0.
  have hz : forall j, nth 0 [seq embed t : Zq | t <- x] j = 0.
    apply: hfull; first by rewrite size_map.
    by move=> a ha; rewrite -embed_dot hx.
  move=> j; have := hz j; rewrite nth_embed => h; have hq : Z.lt 0 q by rewrite /q; lia.
  have [m0 m1] := Z.mod_pos_bound (nth Z0 x j) q hq.
  move: h; rewrite -(embed_mod k) -/q -(Z2Nat.id (Z.modulo _ _) m0) embed_nat => /eqP.
  rewrite -[_ == 0]/(_ == _) => /eqP h.
  have hlt : (Z.to_nat (Z.modulo (nth Z0 x j) q) < k.+2)%N by apply/ssrnat.ltP; move: m1; rewrite /q; lia.
  by have := congr1 (@nat_of_ord _) h; rewrite val_Zp_nat // modn_small // => ->.
have divide j : nth Z0 x j = Z.mul q (Z.div (nth Z0 x j) q).
  by rewrite {1}(Z.div_mod (nth Z0 x j) q) ?x0 ?Z.add_0_r // /q; lia.
pose y := [seq Z.div t q | t <- x].
have ny j : nth Z0 y j = Z.div (nth Z0 x j) q.
  have [hj|hj] := ltnP j (size x); first by rewrite (nth_map Z0).
  by rewrite !nth_default ?size_map // Zdiv_0_l.
have exy : x = [seq Z.mul q t | t <- y].
  apply: (@eq_from_nth _ Z0); rewrite ?size_map // => j hj; rewrite (nth_map Z0) ?size_map // ny.
  exact: divide.
have hy0 : forall j, nth Z0 y j = Z0.
  apply: IH => [|j|a ha]; first by rewrite size_map.
  - have := hb j; rewrite ny {1}divide Z.abs_mul; set t := Z.abs (Z.div _ _) => h.
    have : Z.le (Z.mul 2 t) (Z.mul (Z.abs q) t) by apply: Z.mul_le_mono_nonneg_r; rewrite /t /q; lia.
    lia.
  - have := hx a ha; rewrite exy; have -> : dot a [seq Z.mul q t | t <- y] = Z.mul q (dot a y).
      rewrite !dotE; elim: (a) (y) => [|u a' IHa] [|t y'] //=; rewrite ?Z.mul_0_r // IHa; lia.
    by move/Z.mul_eq_0 => [|//]; rewrite /q; lia.
by move=> j; rewrite divide -ny hy0 Z.mul_0_r.
Qed.

(* a common denominator *)
Lemma common_denominator (u : 'rV[rat]_n) : exists2 d : int, d != 0 & exists z : 'I_n -> int, forall j, d%:~R * u 0 j = (z j)%:~R.
Proof.
exists (\prod_j denq (u 0 j)); first by apply/prodf_neq0 => j _; apply: denq_neq0.
exists (fun j => numq (u 0 j) * \prod_(i | i != j) denq (u 0 i)) => j.
by rewrite (bigD1 j) //= !rmorphM /= mulrAC [X in X * _]mulrC -numqE.
Qed.

Lemma int_to_Z (z : int) : exists t, embed t = z.
Proof.
case: z => m; first by exists (Z.of_nat m); rewrite embed_nat natz.
by exists (Z.opp (Z.of_nat m.+1)); rewrite embed_opp embed_nat natz NegzE.
Qed.

(* C7: rows that only 0 is orthogonal to modulo q, are so over every ordered field. *)
Theorem full_rank_modulo_sound (R : realFieldType) rows (x : seq R) : full_rank_modulo rows -> size x = n ->
  (forall a, List.In a rows -> dotR a x = 0) -> forall j, nth 0 x j = 0.
Proof.
move=> hfull sx hx; pose m := size rows.
pose M : 'M[int]_(m, n) := \matrix_(i, j) embed (nth Z0 (nth [::] rows i) j).
pose Q : 'M[rat]_(m, n) := map_mx intr M.
(* over the rationals, the kernel is 0 *)
have kernel (u : 'rV[rat]_n) : u *m Q^T = 0 -> u = 0.
  move=> hu.
  have [d d0 [z hz]] := common_denominator u.
  have [t ht] := fin_all_exists (fun j => int_to_Z (z j)).
  have nth_t j : nth Z0 [seq t j | j <- enum 'I_n] j = if insub j is Some j' then t j' else Z0.
    case: insubP => [j' _ <-|]; first by rewrite (nth_map j') ?size_enum_ord ?ltn_ord // (nth_ord_enum j' j' : nth j' _ (val j') = j').
    by rewrite -leqNgt => hj; rewrite nth_default // size_map size_enum_ord.
  pose bound := (\max_j (Z.to_nat (Z.abs (t j)))).+1.
  have zero : forall j, nth Z0 [seq t j | j <- enum 'I_n] j = Z0.
    apply: (integers_zero hfull (bound := bound)); first by rewrite size_map size_enum_ord.
    - move=> j; rewrite nth_t; case: insub => [j'|]; last by rewrite /bound; lia.
      have := leq_bigmax (I := ordinal_finType n) (F := fun j => Z.to_nat (Z.abs (t j))) j'; rewrite /bound.
      by move/ssrnat.leP; lia.
    - move=> a ha; apply/Z.eqb_eq; rewrite -(embed_eq0 rat_realFieldType) embed_dot.
      have [l hl el] := (In_nth [::] rows a).1 ha.
      rewrite (dotR_sum _ (n := n)); last by rewrite 2!size_map size_enum_ord.
      have := congr1 (fun v : 'rV_m => d%:~R * v 0 (Ordinal hl)) hu; rewrite !mxE mulr0 => h; apply/eqP; rewrite -[RHS]h.
      rewrite big_distrr; apply: eq_bigr => j _; rewrite !mxE /= el mulrA hz -ht nth_embed nth_t (valK j).
      by rewrite !embed_int mulrC.
  apply/rowP => j; rewrite [RHS]mxE; have := hz j; rewrite -ht; have := zero j; rewrite nth_t (valK j) => ->.
  by move/eqP; rewrite mulf_eq0 intr_eq0 (negPf d0) => /eqP.
have free : row_free Q^T.
  rewrite -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0; apply: kernel.
  by apply/eqP; rewrite -sub_kermx row_sub.
have full : row_full (map_mx intr M : 'M[R]_(m, n)).
  have -> : map_mx intr M = map_mx (ratr : rat -> R) Q by apply/matrixP => i j; rewrite !mxE ratr_int.
  by rewrite /row_full mxrank_map -mxrank_tr; move: free; rewrite /row_free.
pose X := \col_(j < n) nth 0 x j.
have MX : map_mx intr M *m X = 0.
  apply/colP => i; rewrite !mxE -[RHS](hx (nth [::] rows i)); last exact: nth_In.
  by rewrite (dotR_sum _ sx); apply: eq_bigr => j _; rewrite !mxE embed_int.
have X0 : X = 0 by have [B hB] := row_fullP full; rewrite -[X]mul1mx -hB -mulmxA MX mulmx0.
move=> j; case: (ltnP j n) => hj; last by rewrite nth_default // sx.
by have := congr1 (fun M : 'cV_n => M (Ordinal hj) 0) X0; rewrite !mxE.
Qed.
End FromModulo.

Section Elimination.
Variables (propose : oracle) (k : nat).
Notation Zq := 'Z_k.+2.
Let q := Z.of_nat k.+2.
Implicit Types x : seq Zq.
Local Notation unit_mod c := ((embed c : Zq) \is a GRing.unit).

Lemma dotR_reduced a x : dotR [seq Z.modulo u q | u <- a] x = dotR a x.
Proof. by rewrite (dotR_map (c := 1)) ?mul1r // => u; rewrite embed_mod mul1r. Qed.
Lemma inverse_unit c u : inverse propose q c = Some u -> unit_mod c.
Proof.
rewrite /inverse; case: (modular_inverse _ _ _) => [//|[//|v []] // []] //; case: ifP => // /Z.eqb_eq h _.
have e : embed v * embed c = 1 :> Zq by rewrite -embedM -embed_mod -/q h.
by apply/unitrP; exists (embed v); split; rewrite // mulrC.
Qed.

(* ---------- row by row ---------- *)

Section Rows.
Variables (n : nat) (x : seq Zq).
Hypothesis size_x : size x = n.
(* a row of n entries that is 0 on x *)
Definition kills (a : seq Z) : Prop := size a = n /\ dotR a x = 0.

Lemma kills_reduced a : kills a -> kills [seq Z.modulo u q | u <- a].
Proof. by move=> [h1 h2]; split; rewrite ?size_map // dotR_reduced. Qed.
Lemma eliminate_kills p a : kills (pivot_row p) -> kills a -> kills (eliminate q p a).
Proof.
move=> [hp dp] [ha da]; rewrite /eliminate; set c := entry_in _ _; case: ifP => // _; split; first exact: size_tmap2.
rewrite (dotR_tmap2 (b := 1) (c := embed c)) ?hp // ?da ?dp ?mulr0 ?subr0 // => s t.
by rewrite embed_mod embed_sub embedM mul1r.
Qed.

(* C7: the pivots that a row is added to are 0 where they and the row are. *)
Theorem add_row_kills pivots a : (forall p, List.In p pivots -> kills (pivot_row p)) -> dotR a x = 0 ->
  forall p, List.In p (add_row propose q n pivots a) -> kills (pivot_row p).
Proof.
move=> h da; rewrite /add_row; case: ifP => // /norP[_]; rewrite size_ofE nat_eqb negbK => /eqP size_a.
set start := tmap _ a.
have hs : kills start by rewrite /start tmapE; apply: kills_reduced.
have hr : kills (List.fold_left (fun a p => eliminate q p a) pivots start).
  elim: pivots start h hs => //= p pivots IH start h hs; apply: IH => [p' hp'|]; first by apply: h; right.
  by apply: eliminate_kills => //; apply: h; left.
move: (List.fold_left _ _ _) hr => b [size_b kills_b].
case: leading_entry => [[j c]|] //; case: inverse => [u|] //.
have hb : kills (tmap (fun v => Z.modulo (Z.mul u v) q) b).
  rewrite tmapE; split; first by rewrite size_map.
  by rewrite (dotR_map (c := embed u)) ?kills_b ?mulr0 // => v; rewrite embed_mod embedM.
move=> p [<-|] //; rewrite tmapE => hin; have [p' hp' ->] := In_map hin; apply: eliminate_kills => //; exact: h.
Qed.

(* C7: where every column has its pivot, only 0 is orthogonal to the pivots. *)
Theorem has_full_rank_kills pivots : (forall p, List.In p pivots -> kills (pivot_row p)) -> has_full_rank q n pivots ->
  forall j, nth 0 x j = 0.
Proof.
move=> hp /andP[_]; rewrite forallbE => /all_In hunit j; have [hj|hj] := ltnP j n; last by rewrite nth_default ?size_x.
have hi : List.In j (List.seq 0 n) by apply/List.in_seq; split; [exact: Nat.le_0_l | apply/ssrnat.ltP].
have /List.existsb_exists[p [hp' /andP[_ he]]] := hunit _ hi; have [size_p dp] := hp p hp'.
rewrite -[RHS]dp (dotR_sum _ size_x) (bigD1 (Ordinal hj)) //= big1 => [|i hne]; last first.
  by rewrite (is_unit_row_entry he) ?size_p // (_ : j == i = false) ?mul0r //; apply: contraNF hne => /eqP e; apply/eqP/val_inj.
by rewrite (is_unit_row_entry he) ?size_p // eqxx mul1r addr0.
Qed.
End Rows.

(* ---------- all choices ---------- *)

(* x without its entry in the column of v's first one that is not 0 *)
Fixpoint without (v : seq Z) (x : seq Zq) : seq Zq :=
  match v, x with t :: v', y :: x' => if Z.eqb t 0 then y :: without v' x' else x' | _, _ => [::] end.

Lemma size_without v x w : first_nonzero v = Some w -> size x = size v -> (size (without v x)).+1 = size x.
Proof. by elim: v x => [|t v IH] [|y x] //=; case: ifP => //= _ h [hs]; rewrite IH. Qed.
Lemma size_modulo_row v a w : first_nonzero v = Some w -> size a = size v -> (size (modulo_row q w v a)).+1 = size a.
Proof.
elim: v a => [|t v IH] [|c a] //=; case: ifP => //= _ h [hs]; first by rewrite IH.
by rewrite (@size_tmap2 _ _ _ _ _ _ (size a)).
Qed.
Lemma modulo_row_dot v a x w : first_nonzero v = Some w -> size a = size v -> size x = size v ->
  exists c : Zq, dotR (modulo_row q w v a) (without v x) = embed w * dotR a x - c * dotR v x.
Proof.
elim: v a x => [|t v IH] [|u a] [|y x] //=; case: (Z.eqb_spec t 0) => [->|_] h [ha] [hx] /=.
  by have [c e] := IH a x h ha hx; exists c; rewrite e mul0r add0r embed_mod embedM combined_before.
case: h => <-; exists (embed u); rewrite (dotR_tmap2 (b := embed t) (c := embed u)) // => [|s r]; last first.
  by rewrite embed_mod embed_sub !embedM.
exact: combined_after.
Qed.
Lemma zero_of_without v x w : first_nonzero v = Some w -> unit_mod w -> size x = size v ->
  dotR v x = 0 -> (forall j, nth 0 (without v x) j = 0) -> forall j, nth 0 x j = 0.
Proof.
move=> hw uw; elim: v x hw => [|t v IH] [|y x] //=; case: (Z.eqb_spec t 0) => [->|_] h [hx] /=.
  rewrite mul0r add0r => hv h0 [|j] /=; first exact: (h0 0%N).
  by apply: (IH x h hx hv) => i; apply: (h0 i.+1).
case: h => ->; move=> hv h0 [|j] //=; move: hv; rewrite dotR_zero_vector // addr0 => e.
by rewrite -[y](mulKr uw) e mulr0.
Qed.

Lemma fold_units (A : Type) (F : Z -> A -> Z) (G : A -> Prop) rows p :
  (forall p v, List.In v rows -> unit_mod (F p v) -> unit_mod p /\ G v) ->
  unit_mod (List.fold_left F rows p) -> unit_mod p /\ forall v, List.In v rows -> G v.
Proof.
elim: rows p => [|v rows IH] p //= h /IH[|hp hrows]; first by move=> p' v' hv'; apply: h; right.
by have [hp' hv] := h p v (or_introl erefl) hp; split=> // v' [<-|/hrows].
Qed.
Lemma unit_of_product p u : unit_mod (Z.modulo (Z.mul p u) q) ->
  unit_mod p /\ unit_mod u.
Proof. by rewrite embed_mod embedM unitrM => /andP. Qed.

(* Where the product is a unit, x is 0 if a row of every group is 0 on it. *)
Lemma product_of_pivots_sound left n groups p : (forall g, List.In g groups -> forall a, List.In a g -> size a = n) ->
  unit_mod (product_of_pivots q left n groups p) -> unit_mod p /\
  forall x, size x = n -> (forall g, List.In g groups -> exists2 a, List.In a g & dotR a x = 0) -> forall j, nth 0 x j = 0.
Proof.
have zero : unit_mod Z0 = false by exact: unitr0.
elim: left n groups p => [|left IH] [|n] [|rows groups] p hsize.
all: try (by move=> hp; split=> // -[|y x] // _ _ j; rewrite nth_nil).
all: try (by rewrite /= zero).
rewrite [product_of_pivots _ _ _ _ _]/=; case: ifP => [_|_]; first by rewrite zero.
have one_by_one : unit_mod (List.fold_left (fun p v => match first_nonzero v with
      | Some w => product_of_pivots q left n (tmap (tmap (modulo_row q w v)) groups) (Z.modulo (Z.mul p w) q)
      | None => product_of_pivots q left n.+1 groups p end) rows p) ->
    unit_mod p /\ forall x, size x = n.+1 ->
    (forall g, List.In g (rows :: groups) -> exists2 a, List.In a g & dotR a x = 0) -> forall j, nth 0 x j = 0.
  pose good v := forall x, size x = n.+1 -> dotR v x = 0 ->
    (forall g, List.In g groups -> exists2 a, List.In a g & dotR a x = 0) -> forall j, nth 0 x j = 0.
  have hgroups g : List.In g groups -> forall a, List.In a g -> size a = n.+1 by move=> hg; apply: hsize; right.
  case/(fold_units (G := good)) => [p' v hv|hp hgood]; last first.
    split=> // x sx hx; have [v hv dv] := hx _ (or_introl erefl).
    by apply: (hgood v hv x sx dv) => g hg; apply: hx; right.
  have size_v : size v = n.+1 by apply: hsize hv; left.
  case hw: first_nonzero => [w|]; last by case/(IH _ _ _ hgroups) => hp hx; split=> // x sx _; apply: hx.
  case/IH => [g|/unit_of_product[hp uw] hx].
    rewrite tmapE => hg; have [g' hg' ->] := In_map hg; move=> a; rewrite tmapE => ha; have [a' ha' ->] := In_map ha.
    by apply/succn_inj; rewrite (size_modulo_row hw) (hgroups g').
  split=> // x sx dv hg; apply: (zero_of_without hw uw) => //; first by rewrite sx.
  apply: hx => [|g]; first by apply/succn_inj; rewrite (size_without hw) // sx.
  rewrite tmapE => hin; have [g' hg' ->] := In_map hin; have [a ha da] := hg g' hg'.
  exists (modulo_row q w v a); first by rewrite tmapE; apply: map_In.
  have size_a : size a = size v by rewrite size_v; apply: hgroups hg' a ha.
  have size_x : size x = size v by rewrite size_v.
  by have [c ->] := modulo_row_dot hw size_a size_x; rewrite da dv !mulr0 subr0.
case: n one_by_one hsize IH => [|n] one_by_one hsize _ //; case: groups one_by_one hsize => [|g' groups] one_by_one hsize //.
case/(fold_units (G := fun u => unit_mod u)) => [p' u _|hp hu]; first exact: unit_of_product.
split=> // -[|y [|? ?]] // _ hx; have [a ha] := hx _ (or_introl erefl).
have := hsize _ (or_introl erefl) a ha; case: a ha => [|u [|? ?]] // ha _ /=; rewrite addr0 => e.
have uu : unit_mod u by apply: hu; apply/List.in_concat; exists [:: u]; split=> //; left.
by case=> [|j] /=; rewrite ?nth_nil // -[y](mulKr uu) e mulr0.
Qed.

(* C7, I8: if every choice spans, x is 0 if a row of every group is 0 on it. *)
Theorem every_choice_spans_sound n groups x : every_choice_spans propose q n groups -> size x = n ->
  (forall g, List.In g groups -> exists2 a, List.In a g & dotR a x = 0) -> forall j, nth 0 x j = 0.
Proof.
rewrite /every_choice_spans; case hi: inverse => [u|] //; rewrite forallbE => /all_In hsize sx.
have := inverse_unit hi; case/product_of_pivots_sound => [g /hsize|_ h]; last exact: h.
by rewrite forallbE => /all_In hg a /hg; rewrite size_ofE nat_eqb => /eqP.
Qed.
End Elimination.
