(* What an accepted claim about one layer of a network says of the lists that stand for its inputs: none of them, or one alone, is in
   the domain and has the output (P2). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts ApproximateInverse Polyhedron Claims Systems Checker.
From ExactRelu Require Import EntryVectors EvaluationSound LayerPolyhedron Soundness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists ---------- *)

Lemma same_prefix (A : Type) (s s' t t' : seq A) : size s = size s' -> s ++ t = s' ++ t' -> s = s' /\ t = t'.
Proof. by elim: s s' => [|a s IH] [|a' s'] //= [hs] [-> h]; have [-> ->] := IH _ hs h. Qed.

Section OneLayerSound.
Variables (R : realFieldType) (propose : oracle).
Notation rational := (rational R).
Implicit Types (l : layer) (ls : seq layer) (K : domain) (p x y : point).

Lemma layers_at_rcons ls l (v : seq R) : layers_at (rcons ls l) v = layer_at l (layers_at ls v).
Proof. by rewrite /layers_at foldl_rcons. Qed.
Lemma coordinates_inj n (u v : 'cV[R]_n) : coordinates u = coordinates v -> u = v.
Proof. by move=> h; apply/colP => i; rewrite -!nth_coordinates h. Qed.

(* ---------- one layer ---------- *)

(* the layer's input that the evidence speaks of: a solution, or the one that is given *)
Definition base_input (about : subject) (rest : seq evidence) : option point :=
  match rest with
  | Solution x :: _ => Some x
  | _ => match about with LayerInput x => Some x | _ => None end
  end.
Lemma base_point_input l K y given rest x z r rest' : base_point l K y given rest = Some (x, z, RankOf r :: rest') ->
  match rest with Solution x' :: _ => Some x' | _ => omap fst given end = Some x.
Proof.
rewrite /base_point; case: given => [[p q]|]; first case: ifP => _; first by case=> -> _ ->.
all: by case: rest => [|[] // x' rest] //; case: ifP => // _ [->].
Qed.

Section OneLayer.
Variables (net : network) (before after : seq layer) (l : layer) (c : certificate).
Hypotheses (widths : widths_agree (network_inputs net) (layers net)) (net_layers : layers net = before ++ l :: after).
Hypotheses (c_layer : scope_layer c = (size before).+1) (accepted : check_layer propose net c).
Let n := inputs l.
Let out := output R before l (about c).

Lemma widths_before : widths_agree (network_inputs net) before /\ width_after (network_inputs net) before = n.
Proof. by move: widths; rewrite net_layers => /widths_agree_cat[h [e _ _ _]]; rewrite /n e. Qed.
Lemma widths_through : widths_agree (network_inputs net) (rcons before l).
Proof. by move: widths; rewrite net_layers -cat_rcons => /widths_agree_cat[]. Qed.

(* What is claimed holds of this layer. *)
Lemma layer_claim : [/\ is_subject net l (about c), is_domain n (on c) &
  let X := preimage (l := l) (on c) out in
  match claimed c with
  | Empty => forall v, ~ X v
  | Preimage size dimension rank positive => [/\ exists v, X v, affine_dimension X dimension & size_claim X size dimension]
  end].
Proof.
have [b [l' [a [[e1 e2] _ h1 h2 h3]]]] := check_layer_sound R widths accepted.
have hs : size before = size b by move: e2; rewrite c_layer => -[].
have [eb [el _]] := same_prefix hs (etrans (esym net_layers) e1); subst b l'.
by split=> //; case: (claimed c) h3 => // ? ? ? ? [].
Qed.

(* The input that the evidence speaks of is in the domain and has the output. *)
Lemma base_input_sound size dimension rank positive x : (forall p, about c <> NetworkInput p) ->
  claimed c = Preimage size dimension rank positive -> base_input (about c) (proved_by c) = Some x ->
  [/\ is_point n x, in_domain n (on c) (rational x) & layer_at l (rational x) = out].
Proof.
move=> hn hc hx; have [_ hK _] := layer_claim.
move: accepted; rewrite /check_layer c_layer /= net_layers split_atE take_size_cat // drop_size_cat // size_ofE Nat.eqb_refl.
case/andP=> _; case hv: subject_values => [[given y]|] //; rewrite hc /check_preimage.
have [_ hy ey hgiven] := subject_valuesP R net_layers widths hv.
case hb: base_point => [[[b z] [|[] // r rest]]|] // _.
have [hp _ hcont hval] := base_pointP hy hgiven hb.
suff <- : b = x by split=> //; [apply: contains_sound | rewrite hval].
move: (base_point_input hb) hx hv; rewrite /base_input; case: (about c) hn => [p|p|p] hn /=; first by case: (hn p).
all: by case: ifP => // _ hbase hx [egiven _]; move: hbase hx; rewrite -egiven; case: (proved_by c) => [|[]] //= *; congruence.
Qed.

(* A claim of one input: it is the only one in the domain that has the output. *)
Lemma one_input kind dimension rank positive x (w : seq R) : (forall p, about c <> NetworkInput p) ->
  claimed c = Preimage kind dimension rank positive -> kind = Singleton -> base_input (about c) (proved_by c) = Some x ->
  size w = n -> in_domain n (on c) w -> layer_at l w = out -> w = rational x.
Proof.
move=> hn hc es hx hw hK hout; have [[_ sx] hKx ex] := base_input_sound hn hc hx.
have [_ _] := layer_claim; rewrite hc es /= => -[_ _ [_ [e he]]].
have one (v : seq R) : size v = n -> in_domain n (on c) v -> layer_at l v = out -> vector_of n v = e.
  by move=> sv hv ev; apply/he; rewrite /preimage coordinates_vector_of.
have sx' : size (rational x) = n by rewrite size_rational.
by rewrite -(coordinates_vector_of hw) one // -(one _ sx' hKx ex) coordinates_vector_of.
Qed.
(* A claim of no input. *)
Lemma no_input (w : seq R) : claimed c = Empty -> size w = n -> in_domain n (on c) w -> layer_at l w <> out.
Proof.
move=> hc hw hK hout; have [_ _] := layer_claim; rewrite hc => /(_ (vector_of n w)) []; rewrite /preimage coordinates_vector_of //.
Qed.
End OneLayer.
End OneLayerSound.
