(* The strict ray (C4): what check_ray proves.  A direction is given exactly; or a direction d is given together with a block
   that solves for the correction x with e.(d + x) = 0 on its rows, small enough that the strict conditions stay strict. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Claims Systems Checker.
From ExactRelu Require Import EntryVectors InverseSound BlockSound RankSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section RaySound.
Variables (R : realFieldType) (propose : oracle).
Local Notation entry_vector := (entry_vector R).
Local Notation entries_matrix := (entries_matrix R).
Local Notation integer_vector := (integer_vector R).

(* the correction: it is zero outside the columns of a regular block and takes any values on its rows *)
Lemma correction_exists n b (c : 'cV[R]_(size (block_entries b))) : block_shape n b ->
  \rank (entries_matrix n (block_entries b) *m (selection R n (columns_of b))^T) = block_size b ->
  exists x : 'cV[R]_n, (forall j : 'I_n, (j : nat) \notin columns_of b -> x j 0 = 0) /\ entries_matrix n (block_entries b) *m x = c.
Proof.
move=> hb hrank; have : row_free (entries_matrix n (block_entries b) *m (selection R n (columns_of b))^T).
  by rewrite /row_free hrank (entries_size hb).
case/row_freeP=> B hB; exists ((selection R n (columns_of b))^T *m (B *m c)); split=> [j hj|]; first exact: selection_supported.
by rewrite !mulmxA hB mul1mx.
Qed.

(* entries bounded on the marked columns, zero elsewhere *)
Lemma dotR_bound (g c : R) marks a (x : seq R) : 0 <= g -> size a = size marks -> size x = size marks ->
  (forall j, ~~ nth false marks j -> nth 0 x j = 0) -> (forall j, g * `|nth 0 x j| <= c) ->
  g * `|dotR a x| <= c * embed (sum_abs (mask marks a)).
Proof.
move=> hg; elim: marks a x => [|m marks IH] [|u a] [|v x] // ha hx h hc; first by rewrite /= normr0 !mulr0.
case: ha hx => ha [hx].
have {IH}IHx : g * `|dotR a x| <= c * embed (sum_abs (mask marks a)).
  by apply: IH => // j; [apply: (h j.+1) | apply: (hc j.+1)].
case: m h => h /=.
  rewrite sum_abs_cons embedD embed_abs mulrDr; apply: le_trans (ler_wpmul2l hg (ler_norm_add _ _)) _.
  rewrite mulrDr ler_add // normrM mulrCA [X in _ <= X]mulrC ler_wpmul2l //; exact: (hc 0%N).
by have -> : v = 0; [apply: (h 0%N) | rewrite mulr0 add0r].
Qed.

(* e . x, if the block covers x *)
Lemma reach_bound n b e (g c : R) (x : 'cV[R]_n) : block_shape n b -> entry_ok n e -> 0 <= g ->
  (forall j : 'I_n, (j : nat) \notin columns_of b -> x j 0 = 0) -> (forall j, g * `|nth 0 (coordinates x) j| <= c) ->
  g * `|entry_at_vector e x| <= c * embed (reach [seq is_inside p || is_beside p | p <- block_places b] e).
Proof.
move=> hb hok hg hx hc; set marks := [seq covered p | p <- block_places b].
have size_marks : size marks = n by rewrite size_map (places_size hb).
have hout j : ~~ nth false marks j -> nth 0 (coordinates x) j = 0.
  have [hj|hj] := ltnP j n; last by move=> _; rewrite nth_default ?size_coordinates.
  rewrite -mem_mask_iota size_marks -{1}(places_size hb) => h.
  by rewrite -[j]/(val (Ordinal hj)) nth_coordinates hx.
rewrite entry_at_vectorE /reach -/marks; case: e hok => [r|j s] /= hok.
  by rewrite pickE; apply: dotR_bound; rewrite ?size_coordinates ?size_marks.
have [hj hs] := hok; rewrite nthE normrM.
have -> : `|embed s| = 1 :> R by case: hs => ->; rewrite -embed_abs.
rewrite mul1r; case hm: (nth false marks j); first by rewrite mulr1.
by rewrite hout ?hm // normr0 !mulr0.
Qed.

(* What a margin proves of a direction d: for a small correction x, d + x is in the kernel of the block, and strict as d is. *)
Lemma margin_direction n b d strict attempt bound : block_shape n b -> size d = n ->
  \rank (entries_matrix n (block_entries b) *m (selection R n (columns_of b))^T) = block_size b ->
  (forall e, List.In e (block_entries b) -> entry_ok n e) -> (forall e, List.In e strict -> entry_ok n e) ->
  bound_inverse propose attempt (block_places b) (general_normals (block_entries b))
    (general_rho d (block_entries b)) (side_rho d (block_entries b)) = Some bound ->
  (forall e, List.In e strict ->
     Z.lt (Z.add (Z.mul (gap bound) (entry_dot d e))
       (Z.mul (correction bound) (reach [seq is_inside p || is_beside p | p <- block_places b] e))) Z0) ->
  exists y : 'cV[R]_n, entries_matrix n (block_entries b) *m y = 0 /\ forall e, List.In e strict -> entry_at_vector e y < 0.
Proof.
move=> hb hd hrank hok hoks hbound hstrict.
have [x [hx hEx]] := correction_exists (- (entries_matrix n (block_entries b) *m integer_vector n d)) hb hrank.
exists (integer_vector n d + x); split=> [|e he]; first by rewrite mulmxDr hEx addrN.
have hsum f : List.In f (block_entries b) -> entry_at_vector f x = - embed (entry_dot d f).
  move=> hf; apply/eqP; rewrite (entry_dotE R f hd) -addr_eq0 addrC -entry_at_vectorD; apply/eqP.
  by move: f hf; apply/entries_matrix_zero; rewrite mulmxDr hEx addrN.
have [hgap _ _ _ _] := bound_inverse_shape hbound.
have hc j : embed (gap bound) * `|nth 0 (coordinates x) j| <= embed (correction bound).
  move: j; apply: (correction_sound hbound (supported_coordinates hb hx)) => i hi.
    have [r hr hri] := In_general_normals (nth_In [::] hi).
    rewrite /general_rho tmapE (nth_map [::]) // embed_abs hri.
    by have := hsum _ hr; rewrite entry_at_vectorE /= => ->; rewrite normrN.
  rewrite (beside_coordinates x hb) size_map in hi *; rewrite (nth_map 0%N) // /side_rho tmapE (nth_map 0%N) // embed_abs entry_atE.
  have [s hs] := In_side_columns (nth_In 0%N hi); have := hsum _ hs; rewrite entry_at_vectorE /= embedM -mulrN entry_atE.
  have hs0 : embed s != 0 :> R by have [_ [] ->] := hok _ hs; rewrite embed_eq0.
  by move/(mulfI hs0) => ->; rewrite normrN.
have hreach := reach_bound hb (hoks e he) (ltW (embed_gt0 R hgap)) hx hc.
rewrite entry_at_vectorD -entry_dotE // -(pmulr_rlt0 _ (embed_gt0 R hgap)) mulrDr.
have := hstrict e he => /Z.ltb_lt; rewrite -(embed_lt0 R) embedD !embedM; apply: le_lt_trans.
by rewrite ler_add2l; apply: le_trans hreach; rewrite ler_wpmul2l ?ler_norm ?ltW // embed_gt0.
Qed.

(* a vector of the kernel, if the rank is smaller than n *)
Lemma kernel_direction n es : (\rank (entries_matrix n es) < n)%N -> exists2 y : 'cV[R]_n, y != 0 & entries_matrix n es *m y = 0.
Proof.
move=> h; have : kermx (entries_matrix n es)^T != 0.
  by rewrite -mxrank_eq0 mxrank_ker mxrank_tr subn_eq0 -ltnNge.
case/rowV0Pn=> v /sub_kermxP hv hv0; exists v^T; first by rewrite -trmx0 (inj_eq trmx_inj).
by apply: trmx_inj; rewrite trmx_mul trmxK hv trmx0.
Qed.

(* C4: if check_ray accepts, some direction that is not zero is zero on the equalities and strictly negative on the others.
   b shows the rank of the list es, and the equalities lie in the span of es. *)
Theorem check_ray_sound n es r b equalities strict e :
  (forall e, List.In e es -> entry_ok n e) -> check_rank propose n es r = Some b ->
  (forall e, List.In e equalities -> entry_ok n e) -> (forall e, List.In e strict -> entry_ok n e) ->
  (forall e, List.In e equalities -> (entry_vector n e <= entries_matrix n es)%MS) ->
  check_ray propose n equalities strict b e ->
  exists d : 'cV[R]_n, [/\ d != 0, forall e, List.In e equalities -> entry_at_vector e d = 0
                          & forall e, List.In e strict -> entry_at_vector e d < 0].
Proof.
move=> hok hcheck hoke hoks hspan.
have [hrank hvalue] := check_rank_sound R hok hcheck.
move: hcheck; rewrite /check_rank; case hblock: block_of => [c|] //; case: andP => // -[hreg _] [hc]; subst c.
have [hfull hle hsub] := block_rank R hok hblock hreg.
have [hb [rows [cs [_ _ hrows _ _]]]] := block_of_sound hblock.
have vanish (y : 'cV[R]_n) : entries_matrix n (block_entries b) *m y = 0 -> forall f, List.In f equalities -> entry_at_vector f y = 0.
  (* the block spans the whole list *)
  have hspan' : (entries_matrix n es <= entries_matrix n (block_entries b))%MS.
    by rewrite -(geq_leqif (mxrank_leqif_sup hsub)) hrank -hvalue.
  move=> hy f /hspan hf; rewrite /entry_at_vector; have /submxP[B ->] := submx_trans hf hspan'.
  by rewrite -mulmxA hy mulmx0 mxE.
case: e => // d; rewrite /check_ray size_ofE.
  case/andP=> /andP[/Nat.eqb_spec hd hempty] hex; case: strict hoks hempty hex => [|s strict] hoks hempty hex.
    have hlt : (\rank (entries_matrix n (block_entries b)) < n)%N.
      rewrite ltn_neqAle rank_leq_col andbT; apply: contra hempty => /eqP h; apply/Nat.eqb_spec.
      by move: hle (mxrankS hsub); rewrite hrank -hvalue h => h1 h2; apply/eqP; rewrite eqn_leq h1.
    by have [y hy0 hy] := kernel_direction hlt; exists y; split=> //; apply: vanish.
  have [attempt [bound [hbound]]] := some_boundP hex.
  rewrite tmapE forallbE => /all_In hstrict.
  have hokb f : List.In f (block_entries b) -> entry_ok n f by rewrite hrows => hf; apply/hok/(In_mask hf).
  have [y [hy hs]] := margin_direction hb hd hfull hokb hoks hbound (fun f hf => (Z.ltb_lt _ _).1 (hstrict f hf)).
  exists y; split=> //; last exact: vanish.
  by apply: contraTneq (hs s (or_introl erefl)) => ->; rewrite entry_at_vector0 ltxx.
case/andP=> /andP[/andP[/Nat.eqb_spec hd hd0] heq] hst; exists (integer_vector n d); split=> [|f hf|f hf].
- apply: contraNneq hd0 => h; rewrite is_zeroE; apply/all_In => u /(In_nth Z0)[i hi <-].
  rewrite hd in hi; by move/matrixP: h => /(_ (Ordinal hi) 0); rewrite !mxE nth_embed => /eqP; rewrite embed_eq0 Z.eqb_sym.
- by rewrite -entry_dotE //; move: heq; rewrite forallbE => /all_In /(_ f hf) /Z.eqb_spec ->.
by rewrite -entry_dotE // embed_lt0; move: hst; rewrite forallbE => /all_In /(_ f hf).
Qed.
End RaySound.
