(* Layers that pass the check of their orientation are injective on R^n (I12; section 4.15 of FORMAT.md): the cells of the tree cover R^n,
   on each of them the layers are the map that is computed, and the rest is `orientation_injective`. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Farkas OrientationGeneric Orientation.
From ExactRelu Require Import Certificate InjectivityCertificate RegionCertificate Vectors Integers ListFacts VectorFacts Claims.
From ExactRelu Require Import InjectivityClaims Systems EntryVectors EvaluationSound LayerPolyhedron CompositionSound FormsOnBalls.
From ExactRelu Require Import RegionTree RegionTreeSound OrientationChecks OrientationDeterminants.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Pieces.
Variables (R : realFieldType) (n : nat).
Variables (propose : seq (seq form) -> form -> nat * (Z * seq Z)) (solve : affine_piece -> point -> point).
Implicit Types (x y : seq R) (q : affine_piece) (s : layer_in_cell) (cell : seq form).
Notation good := (@good R n).
Notation evaluates := (@evaluates R n).

(* ---------- the pieces of a tree ---------- *)

Definition map_at q x : seq R := [seq value f x / embed (piece_unit q) | f <- piece_forms q].
(* the layers are this map in the cell *)
Definition is_piece (net : seq layer) q := [/\ Z.lt 0 (piece_unit q), forall f, List.In f (piece_forms q) -> size f = n.+1,
  forall r, List.In r (piece_rows q) -> size r = n.+1 &
  forall x, size x = n -> in_cell (piece_rows q) x -> layers_at net x = map_at q x].

(* I12: what is found below a cell of a tree that is accepted: the maps found before, and maps that the layers are on their regions; these
   cover the cell. *)
Theorem pieces_onto_sound net tree cell rows inherited s others ps : good net cell s -> evaluates net cell s ->
  (forall x, in_cell cell x -> in_cell rows x) -> (forall r, List.In r cell -> size r = n.+1) ->
  pieces_onto propose n tree cell rows inherited s others = Some ps ->
  [/\ forall q, List.In q ps -> List.In q others \/ is_piece net q, forall q, List.In q others -> List.In q ps &
      forall x, in_cell cell x -> exists2 q, List.In q ps & in_cell (piece_rows q) x].
Proof.
elim: tree cell rows inherited s others ps => [new j kept off IHoff on IHon|new] cell rows inherited s others ps hg he hrows hsize /=;
  set s' := settled_in _ _ _ _ _ _;
  have [{}hg /(_ he){}he] : good net cell s' /\ _ := settled_in_good propose new inherited hrows hg; last first.
  case: ifP => // /andP[hk hl] [<-]; have hlater : later s' = [::] by case: later hl.
  have hpiece : is_piece net (AffinePiece cell (unit_of s') (given_forms s')).
    split=> //=; first by case: hg => -[].
      by move=> f; apply: size_given_forms hg.
    by move=> x hx hc; rewrite he // hlater /layers_at /= (out_known hg hk hc).
  split=> [q [<-|]|q|x hx]; [by right | by left | by right |].
  by exists (AffinePiece cell (unit_of s') (given_forms s')); first by left.
case hn: neuron_of => [[place f]|] //; have hj := neuron_ofP hn; case: ifP => // hz.
case hoff: pieces_onto => [ps'|] // hon.
have hf : size f = n.+1 by case: hg => _ h _ _ _; apply: (h (f, true)); apply: List.nth_error_In hj.
(* either part of the cell *)
have hg' b := with_sign_good b hg hj (negbT hz) (fun y (h : in_cell cell y) => h).
have he' b : evaluates net ((if b then f else opposite f) :: cell) (with_sign place b s').
  by move=> y hy h; apply: he => // r hr; apply: h; right.
have hrows' (g : form) y : in_cell (g :: cell) y -> in_cell (g :: pick kept rows) y.
  move=> h r [<-|]; first by apply: h; left.
  by rewrite pickE => hr; apply: hrows (In_mask hr) => r' hr'; apply: h; right.
have hsize' (b : bool) r : List.In r ((if b then f else opposite f) :: cell) -> size r = n.+1.
  by move=> [<-|/hsize //]; case: (b) => //; rewrite /opposite tmapE size_map.
have [ho1 ho2 ho3] := IHoff _ _ _ _ _ _ (hg' false) (he' false) (hrows' _) (hsize' false) hoff.
have [hp1 hp2 hp3] := IHon _ _ _ _ _ _ (hg' true) (he' true) (hrows' _) (hsize' true) hon.
split=> [q /hp1[/ho1|]|q /ho2/hp2|x hx]; auto.
case: (lerP 0 (value f x)) => hfx; first by apply: hp3 => r [<-|/hx].
have [r [<-|/hx //]|q /hp2 hq] := ho3 x; last by exists q.
by rewrite value_opposite oppr_ge0 ltW.
Qed.

Lemma pieces_sound ls tree ps : widths_agree n ls -> pieces_onto propose n tree [::] [::] [::] (first_layer n ls) [::] = Some ps ->
  (forall q, List.In q ps -> is_piece ls q) /\ forall x, exists2 q, List.In q ps & in_cell (piece_rows q) x.
Proof.
move=> hw h; have he : evaluates ls [::] (first_layer n ls) by move=> x hx _; rewrite first_layer_out.
have [h1 _ h3] := pieces_onto_sound (first_layer_good R [::] hw) he (fun x => id) (fun r => False_ind _) h.
by split=> [q /h1[]|x] //; apply: h3.
Qed.

(* ---------- a form at a point, a map as a matrix ---------- *)

Lemma form_atE p f : Z.lt 0 (denominator p) -> embed (form_at p f) = embed (denominator p) * value f (rational R p).
Proof.
move=> /(embed_gt0 R)/lt0r_neq0 D0; rewrite /form_at /value; case: f => [|b a] /=; first by rewrite dotE /= mulr0.
by rewrite dot_cons embedD embedM dotR_rational mulr1 mulrDr mulrCA mulfV // mulr1 mulrC.
Qed.

Lemma value_ofE q p : Z.lt 0 (denominator p) -> Z.lt 0 (piece_unit q) -> rational R (value_of q p) = map_at q (rational R p).
Proof.
move=> hD hu; have D0 := lt0r_neq0 (embed_gt0 R hD); rewrite /rational /value_of /map_at /= tmapE -map_comp.
by apply: eq_map => f /=; rewrite form_atE // embedM invfM mulrA [embed _ * value _ _]mulrC mulrAC mulfK.
Qed.

(* the forms of rows and of a piece, in the terms of Orientation.v *)
Definition form_of (f : form) : Orientation.form R n := (normal_vector R n (List.tl f), embed (List.hd Z0 f)).
Lemma form_ofE f (v : 'cV[R]_n) : size f = n.+1 -> Orientation.value (form_of f) v = value f (coordinates v).
Proof. by case: f => // b a _; rewrite /Orientation.value ev_normal /value /= mulr1 addrC. Qed.

Definition linear_part q : 'M[R]_n := (embed (piece_unit q))^-1 *: matrix_of R n (tmap (@List.tl Z) (piece_forms q)).
Definition constant_part q : 'cV[R]_n := \col_i (embed (List.hd Z0 (nth [::] (piece_forms q) i)) / embed (piece_unit q)).

Lemma map_at_matrix net q (v : 'cV[R]_n) : is_piece net q -> size (piece_forms q) = n ->
  vector_of n (map_at q (coordinates v)) = linear_part q *m v + constant_part q.
Proof.
move=> [_ hf _ _] hn; apply/colP => i; rewrite !mxE (nth_map [::]) ?hn //.
have {}hf : size (nth [::] (piece_forms q) i) = n.+1 by apply/hf/nth_In; rewrite hn.
rewrite -form_ofE // /Orientation.value mulrDl; congr (_ + _); rewrite /ev mxE mulr_suml; apply: eq_bigr => j _.
by rewrite !mxE mulrAC; congr (_ * _); rewrite mulrC tmapE (nth_map [::]) ?hn.
Qed.

Lemma det_linear_part net q e : is_piece net q -> size (piece_forms q) = n -> sign_of n q = e -> e <> Z0 ->
  Num.sg (\det (linear_part q)) = embed e.
Proof.
move=> [/(embed_gt0 R) u0 _ _ _] hn he e0; rewrite detZ sgrM sgrX gtr0_sg ?invr_gt0 // expr1n mul1r -he.
by apply: determinant_sign_sound; rewrite ?tmapE ?size_map //; rewrite -tmapE -/(sign_of n q) he.
Qed.

(* ---------- the check ---------- *)

(* I12: the soundness of the check, over every ordered field: layers that are accepted take different inputs to different outputs. *)
Theorem check_orientation_sound ls tree (x0 : point) : widths_agree n ls -> check_orientation propose solve n ls tree x0 ->
  injective_on_domain n (Polyhedral AllSpace) (@layers_at R ls).
Proof.
move=> hw /andP[/point_ok_is_point [hD hx0]]; case hp: pieces_onto => [ps|] // /andP[hsigns].
have [hpiece hcover] := pieces_sound hw hp.
case hfind: List.find => [q0|] //; rewrite forallbE => /all_In honly.
have [hq0 hinside] := List.find_some _ _ hfind.
have forms_n q : List.In q ps -> size (piece_forms q) = n.
  by move=> /honly/andP[/andP[/andP[_ /Nat.eqb_eq]]]; rewrite size_ofE.
pose Q (i : 'I_(size ps)) := nth q0 ps i; have hQ i : List.In (Q i) ps by apply: nth_In.
pose f (v : 'cV[R]_n) := vector_of n (layers_at ls (coordinates v)).
pose region_rows i := [seq form_of r | r <- piece_rows (Q i)].
have regionE i v : region region_rows i v <-> in_cell (piece_rows (Q i)) (coordinates v).
  have [_ _ hr _] := hpiece _ (hQ i); split=> h r.
    by move=> ri; rewrite -form_ofE ?hr //; apply: h; apply/InP; apply: map_In.
  by move=> /InP h'; have [r' ri ->] := In_map h'; rewrite form_ofE ?hr //; apply: h.
have f_region i v : region region_rows i v -> f v = linear_part (Q i) *m v + constant_part (Q i).
  move=> /regionE h; have hq := hpiece _ (hQ i); rewrite -(map_at_matrix _ hq) ?forms_n //.
  by have [_ _ _ eq] := hq; rewrite /f eq ?size_coordinates.
have orientation : (forall i, 0 < \det (linear_part (Q i))) \/ (forall i, \det (linear_part (Q i)) < 0).
  case/orP: hsigns; rewrite forallbE tmapE all_map => /all_In hs; [left | right] => i; have /Z.eqb_eq/esym e := hs _ (hQ i).
    by rewrite -sgr_gt0 (det_linear_part (hpiece _ (hQ i)) (forms_n _ (hQ i)) e) // embed1 ltr01.
  by rewrite -sgr_lt0 (det_linear_part (hpiece _ (hQ i)) (forms_n _ (hQ i)) e) // embed_lt0.
(* the point inside a region, and the value there *)
pose v0 := vector_of n (rational R x0); have cv0 : coordinates v0 = rational R x0 by rewrite coordinates_vector_of ?size_rational.
have positive r : List.In r (piece_rows q0) -> 0 < value r (rational R x0).
  move: hinside; rewrite /is_inside forallbE => /all_In h /h/Z.ltb_lt/(embed_gt0 R).
  by rewrite form_atE // pmulr_rgt0 // embed_gt0.
have fv0 : f v0 = vector_of n (rational R (value_of q0 x0)).
  have [hu _ _ eq] := hpiece _ hq0; rewrite /f cv0 eq ?size_rational ?value_ofE // => r hr; exact/ltW/positive.
have [k0 hk0 ek0] : exists2 k, (k < size ps)%N & nth q0 ps k = q0 by apply/In_nth.
have f_inj : injective f.
  apply: (@orientation_injective R n _ f region_rows _ _ _ f_region orientation (Ordinal hk0) v0).
  - move=> v; have [q hq hv] := hcover (coordinates v); have [k hk ek] : exists2 k, (k < size ps)%N & nth q0 ps k = q by apply/In_nth.
    by exists (Ordinal hk); apply/regionE; rewrite /Q ek.
  - have [_ _ hr _] := hpiece _ hq0; move=> r; rewrite /region_rows /Q /= ek0 => /InP h; have [r' hr' ->] := In_map h.
    by rewrite form_ofE ?hr // cv0 positive.
  (* the point that is sent to the value is the one that was proposed *)
  move=> i v hv; have hq := hpiece _ (hQ i); have [hu _ hr _] := hq.
  have /andP[/andP[/andP[/point_ok_is_point[hD' hx] _]]] := honly _ (hQ i); set x := solve _ _ in hD' hx * => hsame hor.
  pose w := vector_of n (rational R x); have cw : coordinates w = rational R x by rewrite coordinates_vector_of ?size_rational.
  have -> : f v0 = linear_part (Q i) *m w + constant_part (Q i).
    have [hu0 _ _ _] := hpiece _ hq0; rewrite fv0 -(map_at_matrix _ hq) ?forms_n // cw -value_ofE //; congr vector_of; apply/esym.
    by apply: same_point_sound hsame; rewrite /=; lia.
  have inv : linear_part (Q i) \in unitmx by rewrite unitmxE unitfE; case: orientation => h; [rewrite gt_eqF | rewrite lt_eqF].
  move=> /addIr/(congr1 (mulmx (invmx (linear_part (Q i))))); rewrite !mulmxA mulVmx // !mul1mx => ev; move: hv; rewrite {}ev.
  case/orP: hor => [/(same_point_sound R hD' hD) e _|/List.existsb_exists[r [ri /Z.ltb_lt neg]] /regionE/(_ r ri)]; first by rewrite /w e.
  by rewrite cw leNgt -(pmulr_rlt0 _ (embed_gt0 R hD')) -form_atE // embed_lt0; case: Z.ltb_spec neg; lia.
move=> x y hx hy _ _ e; rewrite -(coordinates_vector_of hx) -(coordinates_vector_of hy); congr coordinates; apply: f_inj.
by rewrite /f !coordinates_vector_of // e.
Qed.
End Pieces.
