(* The theorem about claims through several layers: whatever the oracle proposes, a certificate that is accepted makes a true claim
   (P2 for a composition).  If each layer takes one input to the output that is known, then so do the layers one after the other;
   and inputs that differ within the first layer's pre-image, along a segment or along a ray on which the layers are affine, are
   inputs of the network with the same output. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Polyhedron Claims Systems Checker.
From ExactRelu Require Import CompositionChecks EntryVectors EvaluationSound LayerPolyhedron Soundness OneLayerSound AffinePieces.
From ExactRelu Require Import AffinePiecesSound CasesChecks CasesSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section CompositionSound.
Variables (R : realFieldType) (propose : oracle) (reduce : seq Z -> Z * seq Z * Z).
Notation rational := (rational R).
Implicit Types (l : layer) (ls : seq layer) (K : domain) (p x y : point).

(* ---------- the stages ---------- *)

Definition image_domain (K : domain) l : domain := if List.forallb (fun b => b) (rectified l) then Orthant else AllSpace.

(* the last layer's stage comes first *)
Lemma stages_rcons k K given ls l out : stages_onto k K given (rcons ls l) out =
  Stage (k + size ls) (foldl image_domain K ls) (omap (value_through ls) given) :: stages_onto k K given ls out.
Proof.
elim: ls k K given out => [|l' ls IH] k K given out /=; first by rewrite addn0; case: given.
by rewrite IH addSnnS; case: given.
Qed.

(* What comes out of layers lies in the domain of the next stage. *)
Lemma image_in_domain n K ls (v : seq R) : widths_agree n ls -> size v = n -> (ls = [::] -> in_domain n K v) ->
  in_domain (width_after n ls) (foldl image_domain K ls) (layers_at ls v) /\ size (layers_at ls v) = width_after n ls.
Proof.
elim: ls n K v => [|l ls IH] n K v /=; first by move=> _ hv h; split=> //; apply: h.
move=> [_ hm _ hls] _ _; apply: IH => //; first by rewrite size_map size_zip hm minnn.
move=> _; rewrite /image_domain forallbE; case: ifP => // /all_In h j hj.
pose d : row * bool := (Row Z0 Z0 [::], false).
rewrite /layer_at (nth_map d) ?size_zip ?hm ?minnn // /d nth_zip //=.
have -> : nth false (rectified l) j by apply/h/nth_In; rewrite hm.
by rewrite le_maxr lexx.
Qed.

(* ---------- one layer after the other ---------- *)

Section Parts.
Variables (net : network) (K : domain) (given : option point).
Hypotheses (widths : widths_agree (network_inputs net) (layers net)).
Hypothesis given_ok : forall x, given = Some x -> is_point (network_inputs net) x.
Let n := network_inputs net.

(* P2: parts that are accepted: no input of the layers ls has the output y, or exactly one has. *)
Theorem parts_ok_sound ls after is_empty y parts : layers net = ls ++ after ->
  (ls = [::] -> in_domain n K (rational y) /\ size (rational y) = n) ->
  (ls <> [::] -> forall x, given = Some x -> rational y = layers_at ls (rational x)) ->
  parts_ok propose net is_empty (stages_onto 1 K given ls [::]) y parts ->
  if is_empty then forall v, size v = n -> in_domain n K v -> layers_at ls v <> rational y
  else exists v, [/\ size v = n, in_domain n K v, layers_at ls v = rational y &
                     forall w, size w = n -> in_domain n K w -> layers_at ls w = rational y -> w = v].
Proof.
elim/last_ind: ls after y parts => [|ls l IH] after y parts.
  move=> _ /(_ erefl)[hK hs] _; case: parts => //=; case: is_empty => //= _.
  by exists (rational y); split.
rewrite cat_rcons => hn _ hgiven; rewrite stages_rcons; case: parts => [|p parts] //=; rewrite add1n.
set about := match _ with Some x => LayerInput x | None => LayerOutput y end.
have hab q : about <> NetworkInput q by rewrite /about; case: omap.
case/andP=> /andP[/Nat.eqb_eq hk hpart] hrest.
have [hls ewidth] := widths_before widths hn.
have hx0 x : given = Some x -> rational (value_through ls x) = layers_at ls (rational x).
  by move=> /given_ok hx; have [] := value_through_sound R hls hx.
have hout : output R ls l about = rational y.
  rewrite /about; case eg: given => [x|] //=; rewrite hx0 // -layers_at_rcons (hgiven _ x) //.
  by case: (ls).
set c := part_certificate _ _ _ in hpart; have hc : scope_layer c = (size ls).+1 by [].
have image (v : seq R) : size v = n -> in_domain n K v ->
    in_domain (inputs l) (on c) (layers_at ls v) /\ size (layers_at ls v) = inputs l.
  by move=> sv hv; have [] := image_in_domain hls sv (fun _ => hv); rewrite ewidth.
case ec: (part_claim p) hrest => [|[] d r a] //.
  case/andP=> -> _ v sv hv; rewrite layers_at_rcons -hout => ev; have [hv' sv'] := image v sv hv.
  by have := no_input widths hn hc hpart ec sv' hv' ev.
case eb: (match part_proved_by p with Solution x :: _ => Some x | _ => omap (value_through ls) given end) => [b|] // hparts.
have hb : base_input (Certificate.about c) (proved_by c) = Some b.
  by rewrite -eb /base_input /= /about; case: (part_proved_by p) => [|[]] //; case: (given).
have [[_ sb] hKb vb] := base_input_sound R widths hn hc hpart hab ec hb.
have one := one_input widths hn hc hpart hab ec erefl hb.
have step (v : seq R) : size v = n -> in_domain n K v -> layers_at (rcons ls l) v = rational y -> layers_at ls v = rational b.
  by move=> sv hv; rewrite layers_at_rcons -hout => ev; have [hv' sv'] := image v sv hv; apply: one.
have first : ls = [::] -> in_domain n K (rational b) /\ size (rational b) = n.
  by move=> e; move: hKb ewidth sb; rewrite /c size_rational /= e /= -/n => hKb -> ->.
have later : ls <> [::] -> forall x, given = Some x -> rational b = layers_at ls (rational x).
  move=> nonempty x hx; have sx : size (rational x) = n by rewrite size_rational; have [] := given_ok hx.
  have [hv sv] := @image_in_domain n K ls (rational x) hls sx (fun e => False_ind _ (nonempty e)).
  by symmetry; apply: one; rewrite -?ewidth // hout -layers_at_rcons (hgiven _ x) //; case: (ls).
have := IH (l :: after) b parts hn first later hparts; case: (is_empty) => [none v sv hv /(step v sv hv)|].
  exact: none.
case=> v [sv hv ev unique]; exists v; split=> //; first by rewrite layers_at_rcons ev vb.
by move=> w sw hw /(step w sw hw); apply: unique.
Qed.
End Parts.

(* ---------- infinitely many inputs ---------- *)

Section Infinite.
Variables (ls : seq layer) (n : nat) (K : domain) (y : seq R).
Let X : 'cV[R]_n -> Prop := preimage_through ls K y.

(* I1, P2: two inputs with no rectified row of opposite signs between them: their segment has the same output. *)
Theorem segment_in_preimage (u v : 'cV[R]_n) :
  X u -> X v -> u != v -> same_sides ls (coordinates u) (coordinates v) -> infinite X.
Proof.
move=> [hu eu] [hv ev] huv hb; apply: (@segment_infinite R n X u (v - u)) => [|t ht]; first by rewrite subr_eq0 eq_sym.
have same_size : size (coordinates u) = size (coordinates v) by rewrite !size_coordinates.
have -> : u + t *: (v - u) = (1 - t) *: u + t *: v by rewrite scalerBr scalerBl scale1r addrCA addrC.
rewrite /X /preimage_through coordinates_mix; split; first exact: in_domain_between.
by rewrite layers_affine_between // eu ev mix_same // subrK.
Qed.

(* P2: a direction that stays in the domain, keeps all signs and does not change the output: the ray has the same output. *)
Theorem ray_in_preimage (u v : 'cV[R]_n) : X u -> v != 0 -> direction_of n K (coordinates v) ->
  keeps_signs ls (coordinates u) (coordinates v) ->
  (forall j, nth 0 (output_change ls (coordinates u) (coordinates v)) j = 0) -> infinite X /\ ~ bounded X.
Proof.
move=> [hu eu] v0 hK hs h0; have same_size : size (coordinates u) = size (coordinates v) by rewrite !size_coordinates.
have ray t : 0 <= t -> X (u + t *: v).
  move=> ht; rewrite /X /preimage_through -[u]scale1r coordinates_mix; split; first exact: in_domain_along.
  by have [-> sv] := layers_affine_along same_size hs ht; rewrite eu mix_zero // -eu.
split; last exact: (@ray_unbounded R n X u v v0 ray).
by apply: (@segment_infinite R n X u v v0) => t /andP[ht _]; apply: ray.
Qed.
End Infinite.

(* P2: a pre-image under one layer of a dimension above 0 is infinite. *)
Theorem dimension_infinite l K (y : seq R) k : (0 < k)%N -> affine_dimension (preimage (l := l) K y) k ->
  infinite (preimage (l := l) K y).
Proof.
case: k => // k _ [x0 [D [hx0 free hx _]]]; have hx1 := hx ord0; set v := (matrix.row ord0 D)^T in hx1.
have v0 : v != 0.
  apply/eqP => /(congr1 trmx); rewrite trmxK trmx0 rowE -[RHS](mul0mx 1 D) => /(row_free_inj free)/matrixP/(_ 0 0)/eqP.
  by rewrite !mxE eqxx oner_eq0.
apply: (@segment_in_preimage [:: l] _ K y x0 (x0 + v)) => //; first by rewrite -subr_eq0 opprD addNKr oppr_eq0.
by rewrite /= andbT same_output_same_sides //; case: hx0 => _ ->; case: hx1 => _ ->.
Qed.

(* If a layer has infinitely many inputs with an output, then it has them together with the layers that follow. *)
Lemma one_layer_infinite l ls n K (y y' : seq R) kind dimension : inputs l = n -> layers_at ls y = y' -> kind <> Singleton ->
  affine_dimension (preimage (l := l) K y) dimension -> size_claim (preimage (l := l) K y) kind dimension ->
  let X : 'cV[R]_n -> Prop := preimage_through (l :: ls) K y' in infinite X /\ (kind = Unbounded -> ~ bounded X).
Proof.
move=> en ey ns hdim hsize; subst n => X; have sub v : preimage (l := l) K y v -> X v.
  by case=> hv ev; split=> //; rewrite -ey -ev.
have d0 : (0 < dimension)%N by case: (kind) ns hsize => // _ [].
split; first exact: (infinite_subset sub (dimension_infinite d0 hdim)).
by move=> es; move: hsize; rewrite es => -[_ h] /(bounded_subset sub).
Qed.

Section InfiniteSound.
Variables (net : network) (before after : seq layer) (l : layer) (K : domain) (x y : point).
Hypotheses (widths : widths_agree (network_inputs net) (layers net)) (net_layers : layers net = before ++ l :: after).
Let n := network_inputs net.
Let ls := rcons before l.
Hypotheses (point_x : is_point n x) (domain_K : is_domain n K) (y_gt0 : Z.lt 0 (denominator y)).
Hypothesis (output_x : layers_at ls (rational x) = rational y).
Let X : 'cV[R]_n -> Prop := preimage_through ls K (rational y).

(* P2: evidence of infinitely many inputs that is accepted. *)
Theorem infinite_ok_sound unbounded e : infinite_ok propose net ls K x y unbounded e ->
  infinite X /\ (unbounded -> ~ bounded X).
Proof.
have hls : widths_agree n ls := widths_through widths net_layers.
have sx : size (rational x) = n by rewrite size_rational; case: point_x.
rewrite /infinite_ok => /andP[hcont].
have hx : X (vector_of n (rational x)) by split; rewrite coordinates_vector_of //; apply: contains_sound.
case: e => [[|p [|]]|t|x'|d|x' e] //.
- case/andP=> /andP[/Nat.eqb_eq hk hpart] hsize; set c := part_certificate _ _ _ in hpart.
  have [l1 [ls1 els]] : exists l1 ls1, ls = l1 :: ls1.
    by rewrite /ls; case: (before) => [|l1 b]; [exists l, [::] | exists l1, (rcons b l)].
  have hn : layers net = [::] ++ l1 :: (ls1 ++ after) by rewrite net_layers -cat_rcons -/ls els.
  have [_ _] := layer_claim R widths hn (c := c) hk hpart; rewrite [claimed c]/= /output /=.
  have ei : inputs l1 = n by case: (widths_before widths hn).
  have ey : layers_at ls1 (layer_at l1 (rational x)) = rational y by rewrite -output_x els.
  case: (part_claim p) hsize => // kind dimension rank positive hsize [_ hdim hclaim].
  have ns : kind <> Singleton by move=> es; rewrite es in hsize.
  have [h1 h2] := one_layer_infinite ei ey ns hdim hclaim; rewrite /X els; split=> // hu; apply: h2.
  by rewrite hu in hsize; case: (kind) hsize ns.
- case/andP=> /andP[/andP[/andP[hu /point_ok_is_point hx'] hcont'] hne].
  case hv: value_beside => [y'|] // hy; have sx' : size (rational x') = n by rewrite size_rational; case: hx'.
  have [hb [hD' _] ey'] := value_beside_sound R hls point_x hx' hv.
  split; last by case: unbounded hu.
  have hX' : X (vector_of n (rational x')).
    split; rewrite coordinates_vector_of //; first exact: contains_sound.
    by rewrite -ey'; apply: (same_point_sound R hD' y_gt0).
  apply: (segment_in_preimage hx hX'); rewrite ?coordinates_vector_of //.
  apply: contra hne => /eqP/(congr1 (@coordinates R n)); rewrite !coordinates_vector_of //.
  by move=> e; case: (point_x) (hx') => h1 _ [h2 _]; apply: (rational_same h1 h2 e).
- case/andP=> /andP[/andP[/point_ok_is_point hd hd0] hdir]; case hu: change_along => [u|] // hu0.
  have sd : size (rational d) = n by rewrite size_rational; case: hd.
  have [hs _ eu] := change_along_sound R hls point_x hd hu.
  suff [h1 h2] : infinite X /\ ~ bounded X by split.
  apply: (ray_in_preimage (v := vector_of n (rational d)) hx); rewrite ?coordinates_vector_of //.
  + apply: contra hd0 => /eqP/(vector_of_eq0 sd) h0; rewrite is_zeroE; apply/all_In => v /(In_nth Z0)[j hj <-].
    have [D0 _] := hd; move: (h0 j) => /eqP; rewrite nth_rational fraction_eq0 //; lia.
  + exact: domain_contains_direction_sound.
  + by move=> j; rewrite -eu nth_rational all_zero_nth ?mul0r // -is_zeroE.
Qed.
End InfiniteSound.

(* ---------- the theorem ---------- *)

(* P2: the soundness of the checker of claims through several layers, over every ordered field: a certificate that is accepted makes a
   true claim. *)
Theorem check_through_sound net c : check_through propose reduce net c = true -> through_claim_holds R net c.
Proof.
case/andP=> /andP[/network_ok_widths_agree hw /domain_ok_is_domain hK]; case hs: split_layers => [[before l]|] //.
have [after [hn hscope]] := split_layersP hs; rewrite tappE cats1; cbv zeta; set ls := rcons before l.
set given := match through_about c with InputOf x => Some x | OutputOf _ => None end.
set y := match through_about c with InputOf x => value_through ls x | OutputOf y => y end.
have hls := widths_through hw hn; case/andP=> hpoint hclaim; exists before, l, after.
have [habout hy hD hgiven] : [/\ match through_about c with
      InputOf p => is_point (network_inputs net) p | OutputOf p => is_point (size (rows l)) p end,
    through_output R ls (through_about c) = rational y, Z.lt 0 (denominator y)
    & forall x, given = Some x -> is_point (network_inputs net) x /\ layers_at ls (rational x) = rational y].
  move: hpoint; rewrite /y /given; case: (through_about c) => p /point_ok_is_point hp; last first.
    by rewrite size_ofE in hp; have [h _] := hp; split.
  have [e [h _]] := value_through_sound R hls hp; split=> //= x [<-]; split=> //; exact: esym.
have hnet : layers net = ls ++ after by rewrite /ls cat_rcons.
have parts_sound is_empty parts :=
  @parts_ok_sound net (through_on c) given hw (fun x h => proj1 (hgiven x h)) ls after is_empty y parts hnet.
have ls_nil : ls <> [::] by rewrite /ls; case: (before).
split=> //; rewrite /= -/ls hy.
have y_point : is_point (size (rows l)) y.
  move: hpoint; rewrite /y /given; case: (through_about c) => p /point_ok_is_point hp; last by rewrite size_ofE in hp.
  have [_ [hy1 hy2]] := value_through_sound R hls hp; split=> //.
  by rewrite hy2 /ls -cats1; elim: (before) (network_inputs net) => /=.
have cases_sound k t : cases_ok propose reduce (network_inputs net) before l (through_on c) y k t ->
    finite (preimage_through (n := network_inputs net) ls (through_on c) (rational y)) k.
  exact: cases_ok_sound.
pose X : 'cV[R]_(network_inputs net) -> Prop := preimage_through ls (through_on c) (rational y).
have from_input x unbounded e : is_point (network_inputs net) x -> layers_at ls (rational x) = rational y ->
    infinite_ok propose net ls (through_on c) x y unbounded e -> infinite X /\ (unbounded -> ~ bounded X).
  by move=> hx ex; apply: (infinite_ok_sound hw hn hx hK hD ex).
have from_solution x unbounded e (outside : bool) : outside && point_ok (network_inputs net) x && same_point (value_through ls x) y &&
    infinite_ok propose net ls (through_on c) x y unbounded e -> infinite X /\ (unbounded -> ~ bounded X).
  case/andP=> /andP[/andP[_ /point_ok_is_point hx] hsame]; have [ex [hDx _]] := value_through_sound R hls hx.
  by apply: (from_input x) => //; rewrite -ex; apply: same_point_sound.
have infinite_sound unbounded :
    match given, through_proved_by c with
    | _, StartingAt x e =>
        ~~ (match given with Some x => contains (through_on c) x | None => false end) && point_ok (network_inputs net) x
        && same_point (value_through ls x) y && infinite_ok propose net ls (through_on c) x y unbounded e
    | Some x, e => infinite_ok propose net ls (through_on c) x y unbounded e
    | None, _ => false
    end -> infinite X /\ (unbounded -> ~ bounded X).
  case: (given) hgiven => [x0 /(_ x0 erefl)[hx0 ex0]|_]; case: (through_proved_by c) => [ps|t|x|d|x e] //;
    first [exact: from_solution | exact: from_input].
case: (through_claimed c) hclaim => [|kind a|k a].
- case: (through_proved_by c) {infinite_sound} => // [parts /parts_sound none v [hv ev]|t /cases_sound].
    by apply: (none _ _ _ _ hv ev) => //; [move=> _ x /hgiven[] | rewrite size_coordinates].
  by case=> s [_ /size0nil -> h] v /h.
- case/andP=> /Nat.eqb_eq <- hsize; split; last by rewrite positive_numerators.
  case: kind hsize.
  + case: (through_proved_by c) {infinite_sound} => // [parts /parts_sound[] //|t /cases_sound]; first by move=> _ x /hgiven[].
      move=> v [sv hv ev unique]; exists (vector_of _ v) => w; split=> [[hw' ew]|->]; last first.
        by split; rewrite coordinates_vector_of.
      by apply: coordinates_inj; rewrite coordinates_vector_of //; apply: unique; rewrite ?size_coordinates.
    case=> s [_ size_s h]; case: s size_s h => [|v [|? ?]] // _ h; exists v => w.
    by split=> [/h|->]; [rewrite inE => /eqP | apply/h; rewrite inE].
  + case/andP=> hbox /infinite_sound[h _]; split=> //; case: (through_on c) hbox => // lo hi _.
    by apply: bounded_subset (box_bounded R (network_inputs net) lo hi) => v [].
  + by move=> /infinite_sound[h1 h2]; split=> //; apply: h2.
  + by move=> /infinite_sound[].
- case/andP=> /Nat.eqb_eq <-; case: (through_proved_by c) {infinite_sound} => // t /cases_sound hfinite.
  by split=> //; rewrite positive_numerators.
Qed.
End CompositionSound.
