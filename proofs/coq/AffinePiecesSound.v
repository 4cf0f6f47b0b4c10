(* What the checker computes along a segment and along a direction is what AffinePieces.v speaks of: rows have the signs of their
   integer numerators, and the numbers that are carried through the layers are their values and changes (I1, P2). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Claims Systems Checker CompositionChecks.
From ExactRelu Require Import EvaluationSound AffinePieces.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section AffinePiecesSound.
Variable R : realFieldType.
Notation rational := (rational R).
Implicit Types (p q d : point) (l : layer) (r : row).

(* the numerators of a layer's rows at p and at q, row by row with their marks *)
Lemma numerators_at_both l p q : zip (tmap2 pair (numerators (row_values l p)) (numerators (row_values l q))) (rectified l) =
  [seq ((row_numerator l p rb.1, row_numerator l q rb.1), rb.2) | rb <- zip (rows l) (rectified l)].
Proof. by rewrite tmap2_pair !numerators_row_values zip_map zip_map_left. Qed.

Section Signs.
Variables (l : layer) (p : point) (r : row).
Hypotheses (p_gt0 : Z.lt 0 (denominator p)) (r_in_l : List.In r (rows l)).
Let D_gt0 : Z.lt 0 (denominator (row_values l p)). Proof. exact: row_values_denominator. Qed.

Lemma row_gt0 : (0 < row_at (rational p) r) = Z.ltb Z0 (row_numerator l p r).
Proof. by rewrite -(row_numerator_value R p_gt0 r_in_l) fraction_gt0. Qed.
Lemma row_ge0 : (0 <= row_at (rational p) r) = Z.leb Z0 (row_numerator l p r).
Proof. by rewrite -(row_numerator_value R p_gt0 r_in_l) fraction_ge0. Qed.
Lemma row_lt0 : (row_at (rational p) r < 0) = Z.ltb (row_numerator l p r) Z0.
Proof. by rewrite ltNge row_ge0; lia. Qed.
Lemma row_le0 : (row_at (rational p) r <= 0) = Z.leb (row_numerator l p r) Z0.
Proof. by rewrite leNgt row_gt0; lia. Qed.
End Signs.

(* ---------- along a segment ---------- *)

Lemma all_sides l p q : Z.lt 0 (denominator p) -> Z.lt 0 (denominator q) ->
  List.forallb (fun b => b) (tmap2 (fun vw (b : bool) => negb b || same_side vw.1 vw.2)
    (tmap2 pair (numerators (row_values l p)) (numerators (row_values l q))) (rectified l)) ->
  same_sides_in l (rational p) (rational q).
Proof.
move=> hp hq; rewrite forallbE tmap2E numerators_at_both -map_comp all_map => /all_In h.
apply/all_In => -[r b] hrb; have := h _ hrb; have [/= hr _] := In_zip hrb; case: b {hrb} => //=.
by rewrite !(row_ge0 _ hr) // !(row_le0 _ hr).
Qed.

(* I1: no rectified row has values of opposite signs at p and q, and q' is the value of the layers at q. *)
Theorem value_beside_sound n ls p q q' : widths_agree n ls -> is_point n p -> is_point n q -> value_beside ls p q = Some q' ->
  [/\ same_sides ls (rational p) (rational q), is_point (width_after n ls) q' & rational q' = layers_at ls (rational q)].
Proof.
elim: ls n p q => [|l ls IH] n p q /=; first by move=> _ _ hq [<-].
move=> [_ hm _ hls] [hp _] [hq _]; case: ifP => // /(all_sides hp hq) -> /= h.
have := IH _ _ _ hls (layer_value_is_point R hp hm) (layer_value_is_point R hq hm) h.
by rewrite !layer_value_sound.
Qed.

(* ---------- along a direction ---------- *)

Lemma rows_linear_part l : rows (linear_part l) = [seq linear_row r | r <- rows l].
Proof. exact: tmapE. Qed.
(* the numerators of a row's value at p and of its change in the direction d *)
Lemma numerators_along l p d :
  zip (tmap2 pair (numerators (row_values l p)) (numerators (row_values (linear_part l) d))) (rectified l) =
  [seq ((row_numerator l p rb.1, row_numerator (linear_part l) d (linear_row rb.1)), rb.2) | rb <- zip (rows l) (rectified l)].
Proof. by rewrite tmap2_pair !numerators_row_values rows_linear_part -map_comp zip_map zip_map_left. Qed.
Lemma In_linear_part l r : List.In r (rows l) -> List.In (linear_row r) (rows (linear_part l)).
Proof. by rewrite rows_linear_part; apply: map_In. Qed.

Lemma all_signs_kept l p d : Z.lt 0 (denominator p) -> Z.lt 0 (denominator d) ->
  List.forallb (fun b => b) (tmap2 (fun vu (b : bool) => negb b || keeps_sign vu.1 vu.2)
    (tmap2 pair (numerators (row_values l p)) (numerators (row_values (linear_part l) d))) (rectified l)) ->
  keeps_signs_in l (rational p) (rational d).
Proof.
move=> hp hd; rewrite forallbE tmap2E numerators_along -map_comp all_map => /all_In h.
apply/all_In => -[r b] hrb; have := h _ hrb; have [/= hr _] := In_zip hrb; case: b {hrb} => //=.
by rewrite /keeps_sign (row_gt0 hp hr) (row_ge0 hp hr) (row_ge0 hd (In_linear_part hr)) (row_le0 hd (In_linear_part hr)).
Qed.

Lemma layer_change_sound l p d : Z.lt 0 (denominator p) -> Z.lt 0 (denominator d) ->
  rational (Point (denominator (row_values (linear_part l) d))
    (tmap2 (fun vu (b : bool) => if b then rectified_change vu.1 vu.2 else vu.2)
      (tmap2 pair (numerators (row_values l p)) (numerators (row_values (linear_part l) d))) (rectified l))) =
  layer_change l (rational p) (rational d).
Proof.
move=> hp hd; rewrite {1}/rational [numerators (Point _ _)]/= tmap2E numerators_along -!map_comp.
apply/eq_map_In => -[r b] hrb; have [/= hr _] := In_zip hrb; have hr' := In_linear_part hr.
have D_gt0 : Z.lt 0 (denominator (row_values (linear_part l) d)) by exact: row_values_denominator.
rewrite [RHS]/= /= -/(row_values (linear_part l) d); case: b {hrb} => /=; last exact: row_numerator_value.
rewrite /rectified_change /relu_change (row_gt0 hp hr) (row_lt0 hp hr).
case: ifP => _; first exact: row_numerator_value.
case: ifP => _; first by rewrite mul0r.
by rewrite -(row_numerator_value R hd hr') embed_max maxr_pmull ?mul0r // invr_ge0 ltW // embed_gt0.
Qed.

(* P2: no rectified row changes its sign from p in the direction d, and u is what the layers' output changes by. *)
Theorem change_along_sound n ls p d u : widths_agree n ls -> is_point n p -> is_point n d -> change_along ls p d = Some u ->
  [/\ keeps_signs ls (rational p) (rational d), Z.lt 0 (denominator u) & rational u = output_change ls (rational p) (rational d)].
Proof.
elim: ls n p d => [|l ls IH] n p d; first by move=> _ _ [hd _] [<-].
move=> [_ hm _ hls] [hp _] [hd _] /=; case: ifP => // hsigns h; rewrite (all_signs_kept hp hd hsigns) /=.
rewrite -layer_value_sound // -layer_change_sound //.
apply: (IH _ _ _ hls _ _ h); first exact: layer_value_is_point.
split; first exact: (row_values_denominator R (linear_part l) hd).
by rewrite [numerators _]/= tmap2E size_map numerators_along size_map size_zip hm minnn.
Qed.

(* P2: the direction stays in the domain. *)
Theorem domain_contains_direction_sound n K d : is_point n d -> domain_contains_direction K d -> direction_of n K (rational d).
Proof.
move=> [hD hd]; case: K => //=.
- rewrite forallbE => /all_In h j hj; rewrite nth_rational fraction_ge0 //; apply: h.
  by apply/(In_nth Z0); exists j; rewrite ?hd.
- move=> sides; rewrite forallbE => /all_In h s /h.
  by rewrite dotR_rational -(embed_le0 R) => h0; rewrite pmulr_lle0 // invr_gt0 embed_gt0.
Qed.
End AffinePiecesSound.
