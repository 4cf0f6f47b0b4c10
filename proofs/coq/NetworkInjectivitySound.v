(* Layers that are accepted are injective one after the other: each on a set that holds all that reaches it (a composition of injective
   maps, I2), by their skips (I14), by one matrix for the maps of all regions (I14), or by the orientation of these (I12). *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate NetworkCertificate Vectors Integers ListFacts VectorFacts.
From ExactRelu Require Import ApproximateInverse Claims InjectivityClaims NetworkClaims Systems Checker InjectivityChecks SkipChecks.
From ExactRelu Require Import NetworkInjectivityChecks EvaluationSound ConvexDomains Soundness InjectivitySound WindowChecks WindowsSound SkipsSound.
From ExactRelu Require Import IntervalChecks IntervalsSound RegionTree DefiniteChecks DefiniteSound OrientationChecks OrientationSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section NetworkInjectivitySound.
Variables (R : realFieldType) (propose : oracle) (multipliers : seq (seq form) -> form -> nat * (Z * seq Z)).
Variables (solve : affine_piece -> point -> point) (root_above : Z -> Z) (domain_of : seq interval -> domain).

(* what is known of the inputs of a layer *)
Definition known_set (K : convex_domain) (known : layer_inputs) : convex_domain :=
  match known with TheDomain => K | NonNegative => Polyhedral Orthant | _ => Polyhedral AllSpace end.
Definition comes n K known reached (x : seq R) : Prop := in_convex_domain n (known_set K known) x /\ reaches n reached x.
Lemma set_of_sound n K known reached s set : is_convex_domain n (known_set K known) ->
  set_of domain_of n K known reached s = Some set ->
  is_convex_domain n set /\ forall x : seq R, size x = n -> comes n K known reached x -> in_convex_domain n set x.
Proof.
case: s known => [] [] //= hK; try by case=> <-; split=> // x _ [].
all: case hi: image => [K'|] //= [<-]; have [h1 h2] := image_sound R hi; split=> // x hx [_ h]; exact: h2.
Qed.

(* what layers give after a relu on every row is not negative *)
Lemma rectified_in_orthant n l (x : seq R) : List.forallb (fun b => b) (rectified l) -> in_domain n Orthant (layer_at l x).
Proof.
rewrite forallbE => h j _; rewrite /layer_at.
elim: (rows l) (rectified l) h j => [|r rs IH] [|b bs] //= => [_ j|_ j|_ j|/andP[-> /IH{IH}h] [|j] //=]; rewrite ?nth_nil //.
by rewrite le_maxr lexx.
Qed.

(* I2: layers that are accepted, each on a set that holds what reaches it, are injective on what is known to reach the first one. *)
Theorem stages_ok_sound K known reached n ls stages : widths_agree n ls -> is_convex_domain n (known_set K known) ->
  is_reach n reached -> stages_ok propose root_above domain_of K known reached ls stages ->
  forall x y : seq R, size x = n -> size y = n -> comes n K known reached x -> comes n K known reached y ->
  layers_at ls x = layers_at ls y -> x = y.
Proof.
elim: ls known reached n stages => [|l ls IH] known reached n [|s stages] //=.
move=> [hin hmarks hwidths hw] hK hr; case hset: set_of => [set|] // /andP[hinj hrest] x y sx sy hx hy; rewrite /layers_at /= => he.
rewrite hin in hset; have [hK' hcomes] := set_of_sound hK hset.
have hl : layer_at l x = layer_at l y.
  have size_at z : size (layer_at l z) = size (rows l) by rewrite size_map size_zip hmarks minnn.
  have hnext z : size z = n -> comes n K known reached z ->
      comes (size (rows l)) K (known_after l) (reached_after root_above reached l stages) (layer_at l z).
    move=> hz [_ h]; split; last first.
      by rewrite /reached_after; case: ifP => _ /= j; [apply: ends_after_sound h j | rewrite nth_nil].
    by rewrite /known_after; case: ifP => // /rectified_in_orthant h'; apply: h'.
  apply: (IH _ _ _ _ hw _ _ hrest) he; rewrite ?size_at //; try exact: hnext.
  by rewrite /known_after; case: ifP.
rewrite -hin in hK'; have := @injective_by_evidence_sound R propose not_lowered l set (stage_by s) hmarks hwidths hK' (erefl _) hinj.
have -> : InjectivityClaims.value_of R not_lowered = 0 by rewrite /InjectivityClaims.value_of /= mul0r.
by rewrite /= hin => h; apply: h; rewrite ?lowered_layer_at0 //; apply: hcomes.
Qed.

(* I2, I12, I14: the soundness of the check, over every ordered field: a certificate of the injectivity of several layers that is accepted
   makes a true claim. *)
Theorem check_network_injective_sound net c :
  check_network_injective propose multipliers solve root_above domain_of net c = true -> network_injectivity_claim_holds R net c.
Proof.
case/andP=> /andP[/network_ok_widths_agree hw /convex_domain_ok_is_convex_domain hK].
case hs: split_layers => [[before l]|] //; have [after [hn hscope]] := split_layersP hs => hc; exists before, l, after; split=> //.
have hl : widths_agree (network_inputs net) (rcons before l) by move: hw; rewrite hn -cat_rcons => /widths_agree_cat[].
move: hc; rewrite tappE cats1; case: (network_by c) => [stages|ends inverses|weights cells|x0 cells] hc.
- have hr : is_reach (network_inputs net) (InDomain (network_on c)) := hK.
  by move=> x y sx sy hx hy; apply: (stages_ok_sound hl (known := TheDomain) hK hr hc sx sy (conj hx hx) (conj hy hy)).
- by move=> x y sx sy _ _; apply: blocks_ok_sound hc => //; rewrite ?sx ?sy.
- by case: network_on hK hc => [K|//] hK /andP[_]; apply: check_definite_sound.
- by case: network_on hK hc => [[]|] // _; apply: check_orientation_sound.
Qed.
End NetworkInjectivitySound.
