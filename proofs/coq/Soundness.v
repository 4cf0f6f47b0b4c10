(* The theorem about the whole checker: whatever the oracle proposes, a certificate that is accepted makes a true claim (P1, P2).
   The layer is found, its output is computed, a point of the pre-image is checked; the rest is DimensionSound.v and EmptySound.v. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Polyhedron Claims Systems Checker.
From ExactRelu Require Import EntryVectors RankSound EvaluationSound SystemsSound EmptySound DimensionSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Soundness.
Variables (R : realFieldType) (propose : oracle).

(* the layer that is meant, and those before it *)
Lemma split_layersP net scope before l : split_layers net scope = Some (before, l) ->
  exists after, layers net = before ++ l :: after /\ scope = (size before).+1.
Proof.
case: scope => [|k] //=; rewrite split_atE; case e: (drop k (layers net)) => [|l' after] //.
case: ifP => // /Nat.eqb_eq; rewrite size_ofE => hk [<- <-]; exists after.
by rewrite hk -e cat_take_drop.
Qed.

(* the layer's input that is given, its values, and the output *)
Lemma subject_valuesP net before l after s given y : layers net = before ++ l :: after -> widths_agree (network_inputs net) (layers net) ->
  subject_values net before l s = Some (given, y) ->
  [/\ is_subject net l s, is_point (size (rows l)) y, rational R y = output R before l s
    & forall x z, given = Some (x, z) -> [/\ is_point (inputs l) x, z = row_values l x & layer_at l (rational R x) = rational R y]].
Proof.
move=> hn hw; move: (hw); rewrite hn => /widths_agree_cat[hbefore [hin hmarks _ _]].
case: s => p /=; case: ifP => // /point_ok_is_point hp [<- <-].
- have [hv hpt] := value_through_sound R hbefore hp; rewrite -hin in hpt.
  have [hD _] := hpt; split=> //; first exact: layer_value_is_point.
    by rewrite -hv -layer_value_sound.
  by move=> x z [<- <-]; split=> //; rewrite -layer_value_sound.
- have [hD _] := hp; split=> //; first exact: layer_value_is_point.
    by rewrite -layer_value_sound.
  by move=> x z [<- <-]; split=> //; rewrite -layer_value_sound.
- by rewrite size_ofE in hp; split.
Qed.

(* a point of the pre-image *)
Lemma base_pointP l K y given rest x z rest' : is_point (size (rows l)) y ->
  (forall x z, given = Some (x, z) -> [/\ is_point (inputs l) x, z = row_values l x & layer_at l (rational R x) = rational R y]) ->
  base_point l K y given rest = Some (x, z, rest') ->
  [/\ is_point (inputs l) x, z = row_values l x, contains K x & layer_at l (rational R x) = rational R y].
Proof.
move=> [hy _] hgiven.
have solved : match rest with
    | Solution x :: rest' => if point_ok (inputs l) x && contains K x && same_point (rectify l (row_values l x)) y
                             then Some (x, row_values l x, rest') else None
    | _ => None
    end = Some (x, z, rest') ->
    [/\ is_point (inputs l) x, z = row_values l x, contains K x & layer_at l (rational R x) = rational R y].
  case: rest => [|[] // p rest1] //; case: ifP => // /andP[/andP[/point_ok_is_point hp hK] hs] [<- <- _].
  have [hD _] := hp; split=> //; rewrite -layer_value_sound //.
  exact: (same_point_sound R ((row_values_sound R l hD).1 : Z.lt 0 (denominator (layer_value l p))) hy hs).
rewrite /base_point; case: given hgiven => [[p q]|] hgiven; last exact: solved.
by case: ifP => [hK [<- <- _]|_]; [have [h1 h2 h3] := hgiven p q erefl | exact: solved].
Qed.

(* P1, P2: a pre-image that is not empty: the point, the rank, the size, the dimension and the number of positive outputs are right. *)
Theorem check_preimage_sound l K y given size dimension rank positive rest (X := preimage (l := l) K (rational R y)) :
  (forall r, List.In r (rows l) -> seq.size (coefficients r) = inputs l) -> seq.size (rectified l) = seq.size (rows l) ->
  is_domain (inputs l) K -> is_point (seq.size (rows l)) y ->
  (forall x z, given = Some (x, z) -> [/\ is_point (inputs l) x, z = row_values l x & layer_at l (rational R x) = rational R y]) ->
  check_preimage propose l K y given size dimension rank positive rest ->
  [/\ exists x, X x, affine_dimension X dimension, size_claim X size dimension,
      \rank (active_matrix l (rational R y)) = rank & count (fun v => 0 < v) (rational R y) = positive].
Proof.
move=> hwidths hmarks hK hy hgiven; rewrite /check_preimage; case hb: base_point => [[[x z] [|[] // r rest1]]|] //.
have [hx ez hcont hval] := base_pointP hy hgiven hb; subst z.
case hr: check_rank => [b|] // /andP[/andP[/Nat.eqb_eq <- /Nat.eqb_eq <-] hsize].
rewrite tmapE in hr.
have hr' : check_rank propose (inputs l) [seq General r | r <- active_rows l (row_values l x)] r = Some b by [].
have [hrank _] := check_rank_sound R (@active_ok l x hwidths) hr'.
have X0 : X (vector_of (inputs l) (rational R x)).
  by rewrite /X -hval; apply: base_point_in_preimage.
have hrk : \rank (active_matrix l (rational R y)) = rank_value r by rewrite -hval (active_rows_matrix R hx).
have hpos : count (fun v => 0 < v) (rational R y) = number (tmap (Z.ltb 0) (numerators y)) by case: hy => hD _; rewrite positive_numerators.
suff [hdimension hclaim] : affine_dimension X dimension /\ size_claim X size dimension.
  by split=> //; exists (vector_of (inputs l) (rational R x)).
have one : size = Singleton -> affine_dimension X dimension /\ size_claim X size dimension.
  move=> es; rewrite es in hsize *; move: hsize => /andP[/Nat.eqb_eq d0 hs].
  have hX : forall v, X v <-> v = vector_of (inputs l) (rational R x).
    by rewrite /X -hval; apply: (check_singleton_sound hwidths hx hK hcont hr' hs).
  split; last by split=> //; exists (vector_of (inputs l) (rational R x)).
  by rewrite d0 /X -hval; apply: one_point_dimension => //; rewrite hval.
have more : size <> Singleton -> affine_dimension X dimension /\ size_claim X size dimension.
  move=> ns; have {hsize} : negb (Nat.eqb dimension 0) && match check_dimension propose l K x (row_values l x) b dimension rest1 with
      | Some rest => check_boundedness propose l K (row_values l x) b size rest | None => false end by case: (size) ns hsize.
  case/andP=> d0; case hdim: check_dimension => [rest2|] // hbound.
  have hb2 : match size with Bounded => bounded X | Unbounded => ~ bounded X | _ => True end.
    by have := check_boundedness_sound R hwidths hx hK hcont hr' hbound; rewrite hval; case: (size).
  split; first by rewrite /X -hval; apply: (check_dimension_sound R hwidths hx hK hcont hr' hdim).
  have d1 : (0 < dimension)%N by case: (dimension) d0.
  by case: (size) ns hb2.
by case: (size) one more => one more; [apply: one | apply: more | apply: more | apply: more].
Qed.

(* P1, P2: a certificate that is accepted for a network whose widths agree makes a true claim. *)
Theorem check_layer_sound net c : widths_agree (network_inputs net) (layers net) -> check_layer propose net c -> claim_holds R net c.
Proof.
move=> hw; rewrite /check_layer; case hs: split_layers => [[before l]|] //.
case/andP=> /domain_ok_is_domain hK; case hv: subject_values => [[given y]|] // hc.
have [after [hn hscope]] := split_layersP hs.
have [h1 h2 h3 h4] := subject_valuesP hn hw hv.
have hl := hw; rewrite hn in hl; have [_ [hin hmarks hwidths _]] := proj1 (widths_agree_cat _ _ _) hl.
exists before, l, after; split=> //; rewrite -h3; case hclaim: (claimed c) hc => [|size dimension rank positive].
  by case: (proved_by c) => [|e [|? ?]] // he; apply: (check_empty_sound _ _ _ _ he) => //; rewrite hin.
exact: check_preimage_sound.
Qed.

(* P1, P2: the soundness of the checker, over every ordered field: a certificate that is accepted makes a true claim. *)
Theorem check_sound net c : check propose net c = true -> claim_holds R net c.
Proof. by case/andP=> /network_ok_widths_agree; apply: check_layer_sound. Qed.
End Soundness.
