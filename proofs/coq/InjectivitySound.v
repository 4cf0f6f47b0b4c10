(* I1, I2, I8: evidence that is accepted proves a layer injective on a domain.  Two inputs with one output are given; every dependency has a
   row that is 0 on their difference.  Either the certain rows have full rank, or a tree goes through the cases which rows these are, and
   closes each by a rank or by a contradiction. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker Echelon InjectivityChecks EntryVectors RankSound ModularSound.
From ExactRelu Require Import EvaluationSound EchelonSound ConvexDomains DependencySound CertainSound Soundness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Lemma In_reversed (A : Type) (a : A) l : List.In a (List.rev_append l [::]) -> List.In a l.
Proof. by rewrite List.rev_append_rev List.app_nil_r => /(List.in_rev l a). Qed.

Section Tree.
Variables (R : realFieldType) (propose : oracle) (l : layer) (k : nat) (groups : seq (seq nat)).
Let n := inputs l.
Let q := Z.of_nat k.+2.
(* a difference of two inputs with one output: every dependency has a row that is 0 on it *)
Variable r : seq R.
Hypotheses (size_r : size r = n) (group_vanishes : forall g, List.In g groups -> exists2 j, List.In j g & vanishes l r j).

Definition entry_vanishes (e : entry) : Prop := match e with General a => dotR (normal a) r = 0 | Side j _ => nth 0 r j = 0 end.
(* pivots made of rows that are 0 on r: modulo q they are 0 wherever these rows are *)
Definition pivots_vanish (pivots : seq pivot) : Prop :=
  exists2 rows, forall a, List.In a rows -> dotR a r = 0 &
    forall x : seq 'Z_k.+2, size x = n -> (forall a, List.In a rows -> dotR a x = 0) ->
    forall p, List.In p pivots -> kills n x (pivot_row p).

Lemma entry_row_vanishes e : entry_vanishes e -> dotR (entry_row n e) r = 0.
Proof. by case: e => [g|j s] /= h; [apply: odd_row_sound | rewrite dotR_unit_at]. Qed.
Lemma numbered_entry_vanishes j : vanishes l r j -> entry_vanishes (numbered_entry l j).
Proof. by move/eqP. Qed.
Lemma with_entry_vanishes pivots e : pivots_vanish pivots -> entry_vanishes e -> pivots_vanish (with_entry propose l q pivots e).
Proof.
move=> [rows h0 hp] he; exists (entry_row n e :: rows) => [a [<-|/h0 //]|x sx hx]; first exact: entry_row_vanishes.
by apply: add_row_kills; [apply: hp => // a ha; apply: hx; right | apply: hx; left].
Qed.
Lemma has_full_rank_vanishes pivots : pivots_vanish pivots -> has_full_rank q n pivots -> forall j, nth 0 r j = 0.
Proof.
move=> [rows h0 hp] hf; apply: full_rank_modulo_sound size_r h0 => x sx hx; exact: (has_full_rank_kills sx (hp x sx hx) hf).
Qed.

(* Choosing one row from each of these groups, one chooses rows that are 0 on r among others. *)
Lemma pack_sound gs pivots : (forall g, List.In g gs -> exists2 j, List.In j g & vanishes l r j) -> pivots_vanish pivots ->
  pack_spans propose l q pivots gs -> forall j, nth 0 r j = 0.
Proof.
move=> hg [rows h0 hp]; rewrite /pack_spans tappE !tmapE => hspan.
pose chosen := [seq entry_row n (numbered_entry l j) | j <- [seq j <- flatten gs | vanishes l r j]].
apply: (full_rank_modulo_sound (k := k) (n := n) (rows := rows ++ chosen)); [move=> x sx hx | by [] | move=> a].
  apply: (every_choice_spans_sound hspan sx) => g /In_cat[hin|hin]; have [p hp' ->] := In_map hin.
    exists (pivot_row p); first by left.
    by have [] := hp x sx (fun a ha => hx a ((In_cat _ _ _).2 (or_introl ha))) p hp'.
  have [j hj hv] := hg p hp'; rewrite tmapE; eexists; first by apply: map_In; apply: hj.
  rewrite tmapE dotR_reduced; apply: hx; apply/In_cat; right; apply: map_In; apply/In_filter; split=> //.
  by elim: (gs) hp' => //= g' gs' IH [->|/IH h]; apply/In_cat; [left | right].
case/In_cat=> [/h0 //|hin]; have [j hj ->] := In_map hin; apply: entry_row_vanishes; apply: numbered_entry_vanishes.
by case/In_filter: hj.
Qed.

Lemma free_vanishes outside g : (forall j, List.In j outside -> ~~ vanishes l r j) ->
  (exists2 j, List.In j g & vanishes l r j) -> exists2 j, List.In j (List.filter (fun j => negb (is_among j outside)) g) & vanishes l r j.
Proof.
move=> hout [j hj hv]; exists j => //; apply/List.filter_In; split=> //; apply/negP => /List.existsb_exists[i [hi /Nat.eqb_eq e]].
by have := hout i hi; rewrite -e hv.
Qed.

(* At a node, whose rows outside are not 0 on r and whose entries inside are: what is accepted proves that r is 0. *)
Lemma check_node_sound depth outside inside pivots lines rest : (forall j, List.In j outside -> ~~ vanishes l r j) ->
  (forall e, List.In e inside -> entry_vanishes e) -> pivots_vanish pivots ->
  check_node propose l q groups depth outside inside pivots lines = Some rest -> forall j, nth 0 r j = 0.
Proof.
elim: depth outside inside pivots lines rest => [|depth IH] outside inside pivots lines rest hout hin hp /=.
  by case: ifP => // h _; apply: has_full_rank_vanishes h.
case: ifP => [h _|_]; first exact: has_full_rank_vanishes h.
have within out j ls rest' : (forall i, List.In i out -> ~~ vanishes l r i) -> vanishes l r j ->
    check_node propose l q groups depth out (numbered_entry l j :: inside)
      (with_entry propose l q pivots (numbered_entry l j)) ls = Some rest' -> forall i, nth 0 r i = 0.
  move=> ho hv; apply: IH => // [e|]; last by apply: with_entry_vanishes => //; apply: numbered_entry_vanishes.
  by case=> [<-|/hin //]; apply: numbered_entry_vanishes.
case: lines => [|[d|j|rel|ds] lines] //.
- (* branch: the first row of the dependency that is 0 on r is that of a child *)
  case hg: List.nth_error => [g|] //=.
  move: (List.filter _ g) (free_vanishes hout (group_vanishes (List.nth_error_In _ _ hg))) => js.
  elim: js outside hout lines => [|j js IHjs] out hout lines [i //= hi hv].
  case hn: check_node => [rest'|] //; case: (boolP (vanishes l r j)) => hj; first by move=> _; apply: within hn.
  apply: IHjs; first by move=> i' [<-|/hout].
  by exists i => //; case: hi => // e; rewrite e hv in hj.
- (* split *)
  case: ifP => // _; case hn: check_node => [rest'|] // hc.
  case: (boolP (vanishes l r j)) => hj; first exact: within hc.
  by apply: IH hn => // i [<-|/hout].
- (* spanned: a row outside would be 0 on r *)
  case: ifP => // /andP[/List.existsb_exists[j [hj /Nat.eqb_eq ej]] hrel] _.
  have := relation_holds_sound (R := R) hrel (x := vector_of n r); rewrite entry_at_vector_of // => h.
  have /negP[] := hout j hj; rewrite -ej /vanishes; apply/eqP; apply: h => e he; have := hin e (In_reversed (In_mask he)).
  by rewrite entry_at_vector_of //; case: (e) => //= i s ->; rewrite mulr0.
- (* pack *)
  case hgs: numbered => [gs|] //; case: ifP => // /andP[_ hspan] _; apply: pack_sound hspan => // js.
  by rewrite tmapE => hjs; have [g /(In_numbered hgs)/group_vanishes hg ->] := In_map hjs; apply: free_vanishes.
Qed.

Lemma with_entries_vanishes es pivots : (forall e, List.In e es -> entry_vanishes e) -> pivots_vanish pivots ->
  pivots_vanish (List.fold_left (with_entry propose l q) es pivots).
Proof.
elim: es pivots => [|e es IH] pivots //= h hp; apply: IH => [e' he'|]; first by apply: h; right.
by apply: with_entry_vanishes => //; apply: h; left.
Qed.

(* I8: a tree that is accepted proves that only 0 is such a difference. *)
Theorem check_tree_sound inside lines : (forall e, List.In e inside -> entry_vanishes e) ->
  check_tree propose l q groups inside lines -> forall j, nth 0 r j = 0.
Proof.
rewrite /check_tree => hin; case hn: check_node => [[|? ?]|] // _; apply: check_node_sound hn => // [e he|].
  exact: hin (In_reversed he).
by apply: with_entries_vanishes => //; exists [::].
Qed.
End Tree.

Section InjectivitySound.
Variables (R : realFieldType) (propose : oracle).

(* I2, I8: a layer that is accepted as injective on a domain, its biases lowered, is injective on it. *)
Theorem layer_is_injective_sound t l K ev : size (rectified l) = size (rows l) ->
  (forall r, List.In r (rows l) -> size (coefficients r) = inputs l) -> is_convex_domain (inputs l) K -> Z.lt 0 (below t) ->
  layer_is_injective propose t l K ev -> injective_on_domain (inputs l) K (lowered_layer_at (value_of R t) l).
Proof.
move=> hmarks hwidths hK ht /andP[]; rewrite forallbE => /all_In hdep; case hes: certain_entries => [es|] // hspan.
move=> x y sx sy hx hy he; apply: difference_zero; first by rewrite sx sy.
have size_r := size_difference sx sy; set r := difference x y in size_r *.
have hcertain := certain_entries_sound hmarks hwidths hK ht sx sy hx hy he hdep hes.
case: spanned_by hspan => [re /andP[/andP[/Nat.eqb_eq hn _]]|q lines /andP[/Z.ltb_lt q1 htree]].
  case hb: check_rank => [b|] // _; have [hrank _] := check_rank_sound R (fun e h => (hcertain e h).1) hb.
  apply: (vector_of_eq0 size_r); apply: (full_rank_zero (es := es)); first by rewrite hrank.
  by move=> e /hcertain[_]; rewrite entry_at_vector_of.
have [k hk] : exists k, q = Z.of_nat k.+2 by exists (Z.to_nat (Z.sub q 2)); lia.
rewrite hk in htree; apply: check_tree_sound htree => // [g|e /hcertain[]].
  rewrite tmapE => hg; have [d /hdep hd ->] := In_map hg; exact: dependency_sound hd.
case: e => //= j s [_ [->|->]] /eqP; first by rewrite mul1r => /eqP.
by rewrite mulf_eq0 => /orP[|/eqP //]; rewrite embed_eq0.
Qed.
End InjectivitySound.
